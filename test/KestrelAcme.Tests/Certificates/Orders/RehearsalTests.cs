using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Challenges.Dns01.Caa;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Orders;

public sealed class RehearsalTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_NameIsBoundToAnAccount_GoesWithoutRehearsal()
    {
        var accounts = new FixedAccounts();
        var context = await ContextAsync();

        // Without authorities, a rehearsal would fail.
        var rehearsal = new Rehearsal(
            authorizations: null!, authorities: null!, accounts, TimeProvider.System, NullLogger<Rehearsal>.Instance);
        await rehearsal.RunAsync(context, Cancelled);

        Assert.Equal(["app.example", "*.app.example"], accounts.Asked.Select(s => s.ToString()));
        Assert.False(context.Writer.State.Rehearse);
    }

    private static async Task<OrderContext> ContextAsync()
    {
        var authority = new AuthoritySpecification
        {
            Id = "ca",
            DisplayName = "CA",
            DirectoryUrl = new Uri("https://ca.example/dir"),
            IsPublic = true,
            StagingTwin = new Uri("https://staging.ca.example/dir"),
        };
        var specification = new CertificateSpecification
        {
            Id = "app.example",
            Identifiers = [new(IdentifierKind.Dns, "app.example"), new(IdentifierKind.Dns, "*.app.example")],
            KeyAlgorithm = KeyAlgorithm.EcdsaP256,
            ChallengeTypes = ["dns-01"],
        };
        var storage = new InMemoryStorage();
        var certificate = new ManagedCertificate(specification) { State = new CertificateStateRecord { Rehearse = true } };
        return new OrderContext
        {
            Certificate = certificate,
            Specification = specification,
            Authority = new CertificateAuthority(new DirectoryOnlyClient(authority, ["ca.example"]), accounts: null!),
            TermsAccepted = true,
            Writer = await SampleStateWriters.OpenAsync(certificate, storage, TimeProvider.System, Cancelled),
            Stopping = CancellationToken.None,
        };
    }

    private sealed class FixedAccounts : ICaaAccounts
    {
        public IReadOnlyList<CaaSubject> Asked { get; private set; } = [];

        public Task<bool> AreNamedAsync(
            IReadOnlyList<CaaSubject> subjects, IReadOnlyList<string> caaIdentities, CancellationToken cancellationToken)
        {
            Asked = subjects;
            return Task.FromResult(true);
        }
    }
}
