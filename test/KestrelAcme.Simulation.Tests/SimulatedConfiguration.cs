using System.Globalization;
using KestrelAcme.Configuration;

namespace KestrelAcme.Simulation.Tests;

/// <summary>Configurations for simulations.</summary>
internal static class SimulatedConfiguration
{
    public static ConfigurationSnapshot Create(IEnumerable<string> names, bool isPublic = true) => new()
    {
        StoragePath = "",
        AcceptTermsOfService = true,
        Authorities =
        [
            new AuthoritySpecification { Id = "model", DisplayName = "The model", DirectoryUrl = SimulatedAuthority.DirectoryUrl, IsPublic = isPublic },
        ],
        Certificates = ValueList.From(names.Select(Specification)),
    };

    /// <summary>Names with a prefix and a number.</summary>
    public static IEnumerable<string> Names(string prefix, int count) => Enumerable.Range(0, count).Select(i => string.Create(CultureInfo.InvariantCulture, $"{prefix}{i}.model.test"));

    private static CertificateSpecification Specification(string name)
    {
        var identifier = new CertificateIdentifier(IdentifierKind.Dns, name);
        return new CertificateSpecification
        {
            Id = CertificateId.Of([identifier], KeyAlgorithm.EcdsaP256),
            Identifiers = [identifier],
            KeyAlgorithm = KeyAlgorithm.EcdsaP256,
            ChallengeTypes = ["http-01"],
        };
    }
}
