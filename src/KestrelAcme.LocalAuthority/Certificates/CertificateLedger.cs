using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Certificates;

/// <summary>Stores the certificates issued since the start. Thread-safe.</summary>
internal sealed class CertificateLedger
{
    private readonly ResourceTable<IssuedCertificate> _byId = new();
    private readonly ResourceTable<IssuedCertificate> _byCertId = new();
    private readonly ResourceTable<IssuedCertificate> _bySerial = new();

    public IReadOnlyList<IssuedCertificate> Snapshot() => [.. _byId.Snapshot().OrderBy(c => c.IssuedAt)];

    public void Add(IssuedCertificate certificate)
    {
        _byId.Add(certificate.Id, certificate);
        _byCertId.Add(certificate.CertId, certificate);
        _bySerial.Add(certificate.SerialNumber, certificate);
    }

    public IssuedCertificate? Find(string id) => _byId.TryGet(id, out var certificate) ? certificate : null;

    public IssuedCertificate? FindByCertId(string certId) => _byCertId.TryGet(certId, out var certificate) ? certificate : null;

    public IssuedCertificate? FindBySerial(string serial) => _bySerial.TryGet(serial, out var certificate) ? certificate : null;
}
