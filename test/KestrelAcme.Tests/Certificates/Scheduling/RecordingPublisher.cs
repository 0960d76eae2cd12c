using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Tls;

namespace KestrelAcme.Tests.Certificates.Scheduling;

/// <summary>Serves nothing, and records the calls.</summary>
internal sealed class RecordingPublisher : ITlsPublisher
{
    public List<string> Published { get; } = [];

    public List<string> Withdrawn { get; } = [];

    public void SetManagedNames(IReadOnlyCollection<string> names, string? sole = null)
    {
    }

    public void SetOnDemand(string id, IEnumerable<string> names, bool isManaged)
    {
    }

    public IReadOnlyDictionary<string, string> PublishStored(IReadOnlyCollection<CertificateMaterial> materials)
        => new Dictionary<string, string>();

    public void Publish(CertificateMaterial material) => Published.Add(material.Id);

    public void SetRetired(string id, bool isRetired)
    {
    }

    public void Withdraw(string id) => Withdrawn.Add(id);

    public void PresentChallenge(string serverName, string challenge, X509Certificate2 certificate)
    {
    }

    public void WithdrawChallenge(string serverName, string challenge)
    {
    }
}
