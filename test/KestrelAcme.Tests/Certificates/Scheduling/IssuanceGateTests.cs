using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Storage;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Scheduling;

public sealed class IssuanceGateTests
{
    private static readonly StorageHealth Durable = new(Readable: true, Writable: true, Durable: true, "/data", null);
    private static readonly StorageHealth Ephemeral = Durable with { Durable = false, Explanation = "Mount a volume at /data." };

    [Fact]
    public void Reason_ContainerWithoutAVolumeAndAPublicAuthority_NamesTheVolume()
        => Assert.Equal(Ephemeral.Explanation, IssuanceGate.ReasonNotToOrder(Configuration(isPublic: true), Ephemeral));

    [Fact]
    public void Reason_NotDurableAndNotExplained_NamesTheFix()
        => Assert.Contains(
            "AllowEphemeralStorage", IssuanceGate.ReasonNotToOrder(Configuration(isPublic: true), Ephemeral with { Explanation = null }),
            StringComparison.Ordinal);

    [Fact]
    public void Reason_NotDurableButAllowed_IsNone()
        => Assert.Null(IssuanceGate.ReasonNotToOrder(Configuration(isPublic: true) with { AllowEphemeralStorage = true }, Ephemeral));

    [Fact]
    public void Reason_NotDurableAndAPrivateAuthority_IsNone()
        => Assert.Null(IssuanceGate.ReasonNotToOrder(Configuration(isPublic: false), Ephemeral));

    [Fact]
    public void Reason_DurableAndAPublicAuthority_IsNone()
        => Assert.Null(IssuanceGate.ReasonNotToOrder(Configuration(isPublic: true), Durable));

    [Fact]
    public void Reason_ServeOnly_SaysSo()
        => Assert.Contains(
            "ServeOnly", IssuanceGate.ReasonNotToOrder(Configuration(isPublic: false) with { Issuance = IssuanceMode.ServeOnly }, Durable),
            StringComparison.Ordinal);

    [Fact]
    public void Reason_NoAuthority_IsPassedOn()
        => Assert.Equal(
            "Name one.", IssuanceGate.ReasonNotToOrder(Configuration(isPublic: false) with { NoAuthorityReason = "Name one." }, Durable));

    private static ConfigurationSnapshot Configuration(bool isPublic) => new()
    {
        StoragePath = "/data",
        Authorities =
        [
            new AuthoritySpecification
            {
                Id = "a",
                DisplayName = "A",
                DirectoryUrl = new Uri("https://a.test/directory"),
                IsPublic = isPublic,
            },
        ],
    };
}
