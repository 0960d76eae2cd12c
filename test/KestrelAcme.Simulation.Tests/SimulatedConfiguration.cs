using System.Globalization;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Simulation.Tests;

/// <summary>Configurations for simulations.</summary>
internal static class SimulatedConfiguration
{
    public static ConfigurationSnapshot Create(IEnumerable<string> names)
        => Create(names.Select(n => Specification(n)), SimulatedAuthority.DirectoryUrl);

    public static ConfigurationSnapshot Create(IEnumerable<CertificateSpecification> certificates, Uri directoryUrl) => new()
    {
        StoragePath = "",
        AcceptTermsOfService = true,
        Authorities =
        [
            new AuthoritySpecification { Id = "model", DisplayName = "The model", DirectoryUrl = directoryUrl, IsPublic = true },
        ],
        Certificates = EquatableArray.From(certificates),
    };

    /// <summary>Names with a prefix and a number.</summary>
    public static IEnumerable<string> Names(string prefix, int count)
        => Enumerable.Range(0, count).Select(i => string.Create(CultureInfo.InvariantCulture, $"{prefix}{i}.model.test"));

    public static CertificateSpecification Specification(string name, string challengeType = "http-01", string? profile = null)
    {
        var identifier = new CertificateIdentifier(IdentifierKind.Dns, name);
        return new CertificateSpecification
        {
            Id = CertificateId.Of([identifier], KeyAlgorithm.EcdsaP256),
            Identifiers = [identifier],
            KeyAlgorithm = KeyAlgorithm.EcdsaP256,
            ChallengeTypes = [challengeType],
            Profile = profile,
        };
    }
}
