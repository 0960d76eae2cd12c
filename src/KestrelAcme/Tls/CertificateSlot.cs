namespace KestrelAcme.Tls;

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
