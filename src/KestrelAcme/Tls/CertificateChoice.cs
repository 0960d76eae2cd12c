namespace KestrelAcme.Tls;

/// <summary>
/// Picks among the certificates that cover a name: one that is valid now before one that is not, one that the client can verify, one that is wanted before one that stands in for it,
/// the exact name before the wildcard, ECDSA before RSA, the one valid longest.
/// </summary>
internal ref struct CertificateChoice(KeyKinds accepted, long now)
{
    private const int Valid = 16;
    private const int Accepted = 8;
    private const int Wanted = 4;
    private const int Exact = 2;
    private const int Ecdsa = 1;

    private int _rank = -1;

    public CertificateEntry? Best { get; private set; }

    /// <summary>Whether no wildcard can be better than what was found.</summary>
    public readonly bool IsSettled => _rank >= (Valid | Accepted | Wanted | Exact);

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
            | (entry.IsRetired ? 0 : Wanted)
            | (exact ? Exact : 0)
            | ((entry.KeyKind & KeyKinds.Ecdsa) != 0 ? Ecdsa : 0);
        if (rank > _rank || (rank == _rank && entry.NotAfter > Best!.NotAfter))
        {
            _rank = rank;
            Best = entry;
        }
    }
}

/// <summary>The place of one managed certificate in the index. A renewal is one write here, however many names it has.</summary>
internal sealed class CertificateSlot
{
    private CertificateEntry? _current;

    public CertificateEntry? Current
    {
        get => Volatile.Read(ref _current);
        set => Volatile.Write(ref _current, value);
    }
}
