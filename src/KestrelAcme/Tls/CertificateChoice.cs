namespace KestrelAcme.Tls;

/// <summary>
/// Picks the best of the certificates that cover a name. In order of weight: it is valid now, the client can verify its key, it is not
/// retired, it names the host exactly and not by a wildcard, its key is ECDSA, and it is valid longest.
/// </summary>
internal ref struct CertificateChoice(KeyKinds accepted, long now)
{
    private const int Valid = 16;
    private const int Accepted = 8;
    private const int NotRetired = 4;
    private const int Exact = 2;
    private const int Ecdsa = 1;

    private int _rank = -1;

    public CertificateEntry? Best { get; private set; }

    /// <summary>Whether no wildcard certificate can be better than the one found.</summary>
    public readonly bool IsSettled => _rank >= (Valid | Accepted | NotRetired | Exact);

    public void Offer(CertificateSlot[] slots, bool exact)
    {
        foreach (var slot in slots)
        {
            if (slot.Current is { } entry)
            {
                Offer(entry, exact);
            }
        }
    }

    private void Offer(CertificateEntry entry, bool exact)
    {
        var rank = (entry.NotBefore <= now && now < entry.NotAfter ? Valid : 0)
            | ((entry.KeyKind & accepted) != 0 ? Accepted : 0)
            | (entry.IsRetired ? 0 : NotRetired)
            | (exact ? Exact : 0)
            | ((entry.KeyKind & KeyKinds.Ecdsa) != 0 ? Ecdsa : 0);
        if (rank > _rank || (rank == _rank && entry.NotAfter > Best!.NotAfter))
        {
            _rank = rank;
            Best = entry;
        }
    }
}

/// <summary>
/// Holds the current entry of one managed certificate. A renewal replaces the entry with one write here, no matter how many names it has.
/// </summary>
internal sealed class CertificateSlot
{
    private CertificateEntry? _current;

    public CertificateEntry? Current
    {
        get => Volatile.Read(ref _current);
        set => Volatile.Write(ref _current, value);
    }
}
