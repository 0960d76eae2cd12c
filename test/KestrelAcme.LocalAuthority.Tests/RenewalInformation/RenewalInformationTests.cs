using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using KestrelAcme.LocalAuthority.Certificates;
using KestrelAcme.LocalAuthority.Faults;
using KestrelAcme.LocalAuthority.RenewalInformation;
using KestrelAcme.LocalAuthority.Tests.Client;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.LocalAuthority.Tests.RenewalInformation;

public sealed class RenewalInformationTests
{
    [Fact]
    public async Task RenewalInfo_Default_WindowIsAtTwoThirdsOfTheLifetime()
    {
        var time = new FakeTimeProvider();
        await using var fixture = await AuthorityFixture.StartAsync(o => (o.TimeProvider, o.Validity) = (time, TimeSpan.FromDays(90)));
        var certificate = await fixture.Client.ObtainAsync(fixture.Server, "app.test");
        var (response, start, end) = await AskAsync(fixture, certificate.Leaf);

        Assert.Equal(TimeSpan.FromDays(60).TotalSeconds, (start - time.GetUtcNow()).TotalSeconds, tolerance: 2);
        Assert.Equal(TimeSpan.FromDays(1.8).TotalSeconds, (end - start).TotalSeconds, tolerance: 2);
        Assert.Equal(TimeSpan.FromHours(6), response.Headers.RetryAfter?.Delta);
        Assert.Null(response.Json["explanationURL"]);
    }

    [Fact]
    public async Task RenewalInfo_WindowSet_IsServedWithItsExplanation()
    {
        var time = new FakeTimeProvider();
        await using var fixture = await AuthorityFixture.StartAsync(o => o.TimeProvider = time);
        var one = await fixture.Client.ObtainAsync(fixture.Server, "one.test");
        var two = await fixture.Client.ObtainAsync(fixture.Server, "two.test");
        var now = time.GetUtcNow();
        var renewal = fixture.Authority.RenewalInformation;
        renewal.SetForAll(new RenewalWindow(now.AddHours(1), now.AddHours(2)));
        renewal.Set(
            fixture.Authority.Issued[0].CertId, new RenewalWindow(now, now) { ExplanationUrl = new Uri("https://example.test/why") });
        renewal.RetryAfter = TimeSpan.FromMinutes(5);
        renewal.RetryAfterAsDate = true;

        var (first, start, _) = await AskAsync(fixture, one.Leaf);
        var (_, other, _) = await AskAsync(fixture, two.Leaf);

        Assert.Equal((now, now.AddHours(1)), (start, other));
        Assert.Equal("https://example.test/why", first.Text("explanationURL"));
        Assert.Equal(now.AddMinutes(5), first.Headers.RetryAfter?.Date);
    }

    [Fact]
    public async Task RenewalInfo_WindowMoves_EachAnswerIsLater()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var certificate = await fixture.Client.ObtainAsync(fixture.Server, "app.test");
        fixture.Authority.RenewalInformation.MoveBy = TimeSpan.FromDays(1);
        var (_, first, _) = await AskAsync(fixture, certificate.Leaf);
        var (_, second, _) = await AskAsync(fixture, certificate.Leaf);
        Assert.Equal(TimeSpan.FromDays(1), second - first);
    }

    [Fact]
    public async Task RenewalInfo_Revoked_WindowIsPast()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var certificate = await fixture.Client.ObtainAsync(fixture.Server, "app.test");
        var payload = new JsonObject { ["certificate"] = TestKey.Encode(certificate.Leaf.RawData) };
        await fixture.Client.PostAsync(await fixture.Client.UrlAsync("revokeCert"), payload);
        var (_, start, end) = await AskAsync(fixture, certificate.Leaf);
        Assert.True(start < end && end < TimeProvider.System.GetUtcNow());
    }

    [Fact]
    public async Task RenewalInfo_UnknownCertificate_IsNotFound()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        Assert.Equal(404, (await fixture.Client.GetAsync(await fixture.Client.UrlAsync("renewalInfo") + "/AAAA.AAAA")).Status);
    }

    [Fact]
    public async Task RenewalInfo_NotOffered_IsMissingInTheDirectory()
    {
        await using var fixture = await AuthorityFixture.StartAsync(o => o.OfferRenewalInformation = false);
        Assert.Null((await fixture.Client.GetAsync(fixture.Client.DirectoryUrl)).Json["renewalInfo"]);
    }

    [Fact]
    public void CertId_SerialWithLeadingBit_KeepsTheZeroByte()
    {
        // The numbers of the example certificate in RFC 9773 section 4.1.
        var keyId = Convert.FromHexString("69885B6B874640 41E1B37B847BA0AE2CDE01C8D4".Replace(" ", "", StringComparison.Ordinal));
        using var key = System.Security.Cryptography.ECDsa.Create();
        var request = new CertificateRequest("CN=a", key, System.Security.Cryptography.HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(keyId));
        using var certificate = request.Create(
            new X500DistinguishedName("CN=b"), X509SignatureGenerator.CreateForECDsa(key),
            DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddDays(1), Convert.FromHexString("87654321"));
        Assert.Equal("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE", CertId.Of(certificate));
    }

    [Fact]
    public async Task Replaces_Good_IsEchoedAndASecondOrderIsAlreadyReplaced()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        await fixture.Client.ObtainAsync(fixture.Server, "app.test");
        var certId = fixture.Authority.Issued[0].CertId;
        var first = await OrderAsync(fixture.Client, certId);
        Assert.Equal((201, certId), (first.Status, first.Text("replaces")));
        var second = await OrderAsync(fixture.Client, certId);
        Assert.Equal((409, "alreadyReplaced"), (second.Status, second.Problem));

        await fixture.Client.PostAsync(first.Texts("authorizations")[0], new JsonObject { ["status"] = "deactivated" });

        Assert.Equal(201, (await OrderAsync(fixture.Client, certId)).Status);
    }

    [Fact]
    public async Task Replaces_Wrong_IsRefused()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        await fixture.Client.ObtainAsync(fixture.Server, "app.test");
        var certId = fixture.Authority.Issued[0].CertId;
        using var other = new TestClient(fixture.Authority);
        await other.RegisterAsync();
        Assert.Equal(403, (await OrderAsync(other, certId)).Status);
        Assert.Equal(404, (await OrderAsync(fixture.Client, "AAAA.AAAA")).Status);
        Assert.Equal(400, (await OrderAsync(fixture.Client, certId, "other.test")).Status);
        fixture.Authority.Faults.RefuseReplaces = new RefusedReplaces("serverInternal", 500, "No.");
        var refused = await OrderAsync(fixture.Client, certId);
        Assert.Equal((500, "serverInternal"), (refused.Status, refused.Problem));
        Assert.Equal(201, (await fixture.Client.OrderAsync("app.test")).Status);
    }

    private static async Task<TestResponse> OrderAsync(TestClient client, string replaces, string name = "app.test") =>
        await client.PostAsync(
        await client.UrlAsync("newOrder"), new JsonObject { ["identifiers"] = TestFlow.Identifiers(name), ["replaces"] = replaces });

    private static async Task<(TestResponse Response, DateTimeOffset Start, DateTimeOffset End)> AskAsync(
        AuthorityFixture fixture, X509Certificate2 leaf)
    {
        // Built from the certificate's bytes, independent of the CA's own CertId.
        var authorityKey = leaf.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().Single().KeyIdentifier!.Value.ToArray();
        var certId = TestKey.Encode(authorityKey) + "." + TestKey.Encode(leaf.SerialNumberBytes.ToArray());
        var response = await fixture.Client.GetAsync(await fixture.Client.UrlAsync("renewalInfo") + "/" + certId);
        Assert.Equal(200, response.Status);
        var window = response.Json["suggestedWindow"]!;
        return (response, Parse(window["start"]), Parse(window["end"]));
    }

    private static DateTimeOffset Parse(JsonNode? node) => DateTimeOffset.Parse((string)node!, CultureInfo.InvariantCulture);
}
