using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.RenewalInformation;
using KestrelAcme.Protocol.Tests.Certificates;
using KestrelAcme.Protocol.Tests.Scripted;
using Xunit;

namespace KestrelAcme.Protocol.Tests.RenewalInformation;

public sealed class RenewalInfoTests : ScriptedTest
{
    private const string Path = "/renewal-info/aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE";
    private static readonly RenewalCertificateId Id = RenewalCertificateId.Create(TestCertificates.Rfc9773);

    [Fact]
    public void Create_CertificateOfRfc9773_IsTheOneThere()
    {
        Assert.Equal("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE", Id.Value);
        Assert.Equal(Id, RenewalCertificateId.Create(TestCertificates.Rfc9773.RawData));
    }

    [Fact]
    public void TryCreate_NoKeyIdentifier_IsFalse()
    {
        using var certificate = System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificate(
            TestCertificates.IssuedBy("x"));

        Assert.False(RenewalCertificateId.TryCreate(certificate, out _));
        Assert.Throws<ArgumentException>(() => RenewalCertificateId.Create(certificate));
    }

    [Fact]
    public async Task GetRenewalInfoAsync_Window_IsReadWithoutASignature()
    {
        Server.On(Path, Answer.Json(
            """
            {"suggestedWindow":{"start":"2026-12-01T00:00:00Z","end":"2026-12-02T01:00:00+01:00"},
            "explanationURL":"https://acme.test/why"}
            """,
            200,
            ("Retry-After", "21600")));

        var info = await Client.GetRenewalInfoAsync(Id, Cancellation);

        Assert.Equal(new DateTimeOffset(2026, 12, 1, 0, 0, 0, TimeSpan.Zero), info.WindowStart);
        Assert.Equal(new DateTimeOffset(2026, 12, 2, 0, 0, 0, TimeSpan.Zero), info.WindowEnd);
        Assert.Equal("https://acme.test/why", info.ExplanationUrl!.AbsoluteUri);
        Assert.Equal(TimeSpan.FromHours(6), info.RetryAfter);
        Assert.Equal(HttpMethod.Get, Server.To(Path)[0].Method);
    }

    [Theory]
    [InlineData("""{"suggestedWindow":{"start":"2026-12-02T00:00:00Z","end":"2026-12-02T00:00:00Z"}}""")]
    [InlineData("""{"suggestedWindow":{"start":"soon","end":"2026-12-02T00:00:00Z"}}""")]
    [InlineData("""{"suggestedWindow":{}}""")]
    [InlineData("{}")]
    public async Task GetRenewalInfoAsync_NoWindow_IsMalformed(string json)
    {
        Server.On(Path, Answer.Json(json));

        await Assert.ThrowsAsync<AcmeMalformedResponseException>(() => Client.GetRenewalInfoAsync(Id, Cancellation));
    }

    [Fact]
    public async Task GetRenewalInfoAsync_LinkThatIsNotHttps_IsDropped()
    {
        Server.On(Path, Answer.Json("""
            {"suggestedWindow":{"start":"2026-12-01T00:00:00Z","end":"2026-12-02T00:00:00Z"},"explanationURL":"javascript:alert(1)"}
            """));

        Assert.Null((await Client.GetRenewalInfoAsync(Id, Cancellation)).ExplanationUrl);
    }
}
