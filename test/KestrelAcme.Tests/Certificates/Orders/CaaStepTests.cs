using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Failures;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Challenges;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Orders;

public sealed class CaaStepTests
{
    private readonly RecordingCaaCheck _check = new();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Check_AuthorityHasNamesInCaaRecords_AsksForEveryDnsNameAndTheAccount(bool isPublic)
    {
        await RunAsync(isPublic, "ca.example");

        var request = Assert.Single(_check.Requests);
        Assert.Equal(["a.example", "*.b.example"], request.Subjects.Select(s => s.ToString()));
        Assert.Equal(["ca.example"], request.CaaIdentities);
        Assert.Equal(["http-01", "dns-01"], request.ChallengeTypes);
    }

    [Fact]
    public async Task Check_AuthorityHasNone_AsksNothing()
    {
        await RunAsync(isPublic: true);

        Assert.Empty(_check.Requests);
    }

    [Fact]
    public async Task Check_Forbidden_NeedsAPerson()
    {
        _check.Refusal = new ChallengeException("a.example: the CAA record set forbids it.") { Fault = ChallengeFault.Operator };

        var exception = await Assert.ThrowsAsync<ChallengeException>(() => RunAsync(isPublic: true, "ca.example"));

        Assert.Equal(KestrelAcme.Certificates.FailureCause.Operator, FailureClassifier.Classify(exception).Cause);
    }

    private Task RunAsync(bool isPublic, params string[] caaIdentities)
    {
        var authority = new AuthoritySpecification
        {
            Id = "ca",
            DisplayName = "CA",
            DirectoryUrl = new Uri("https://ca.example/dir"),
            IsPublic = isPublic,
        };
        var specification = new CertificateSpecification
        {
            Id = "a.example+2-00000000",
            Identifiers =
                [
                    new(IdentifierKind.Dns, "a.example"), new(IdentifierKind.Dns, "*.b.example"), new(IdentifierKind.Ip, "192.0.2.1"),
                ],
            KeyAlgorithm = KeyAlgorithm.EcdsaP256,
            ChallengeTypes = ["http-01", "dns-01"],
        };
        var context = new OrderContext
        {
            Certificate = new ManagedCertificate(specification),
            Specification = specification,
            Authority = new CertificateAuthority(new DirectoryOnlyClient(authority, caaIdentities), accounts: null!),
            TermsAccepted = true,
            Writer = null!,
            Stopping = CancellationToken.None,
        };
        return new CaaStep(_check).CheckAsync(
            context, new NamedAccount(new Uri("https://ca.example/account/1")), TestContext.Current.CancellationToken);
    }
}
