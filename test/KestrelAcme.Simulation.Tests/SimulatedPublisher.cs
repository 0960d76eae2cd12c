using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Tls;

namespace KestrelAcme.Simulation.Tests;

/// <summary>Remembers what is served.</summary>
internal sealed class SimulatedPublisher : ITlsPublisher
{
    private readonly ConcurrentDictionary<string, CertificateMaterial> _served = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, CertificateMaterial> Served => _served;

    public void SetManagedNames(IReadOnlyCollection<string> names, string? sole = null)
    {
    }

    public void SetOnDemand(string id, IEnumerable<string> names, bool isManaged)
    {
    }

    public IReadOnlyDictionary<string, string> PublishStored(IReadOnlyCollection<CertificateMaterial> materials)
    {
        foreach (var material in materials)
        {
            Publish(material);
        }

        return new Dictionary<string, string>();
    }

    public void Publish(CertificateMaterial material) => _served[material.Id] = material;

    public void SetRetired(string id, bool isRetired)
    {
    }

    public void Withdraw(string id) => _served.TryRemove(id, out _);

    public void PresentChallenge(string serverName, string challenge, X509Certificate2 certificate)
    {
    }

    public void WithdrawChallenge(string serverName, string challenge)
    {
    }
}
