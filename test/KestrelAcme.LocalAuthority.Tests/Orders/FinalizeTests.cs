using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.LocalAuthority.Tests.Client;
using Xunit;

namespace KestrelAcme.LocalAuthority.Tests.Orders;

public sealed class FinalizeTests
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    [Fact]
    public async Task Finalize_AuthorizationsPending_IsOrderNotReady()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var order = await fixture.Client.OrderAsync("app.test");
        var response = await fixture.Client.FinalizeAsync(order, TestFlow.Csr(_key, "app.test"));
        Assert.Equal((403, "orderNotReady"), (response.Status, response.Problem));
    }

    [Fact]
    public async Task Finalize_Twice_SecondIsOrderNotReadyAndOneCertificateIsIssued()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var order = await fixture.Client.ReadyOrderAsync(fixture.Server, "app.test");
        Assert.Equal(200, (await fixture.Client.FinalizeAsync(order, TestFlow.Csr(_key, "app.test"))).Status);
        Assert.Equal("orderNotReady", (await fixture.Client.FinalizeAsync(order, TestFlow.Csr(_key, "app.test"))).Problem);
        Assert.Single(fixture.Authority.Issued);
    }

    [Theory]
    [InlineData("other.test")]
    [InlineData("app.test", "extra.test")]
    [InlineData("127.0.0.1")]
    [InlineData]
    public async Task Finalize_NamesNotTheOrders_IsBadCsrAndTheOrderStaysReady(params string[] names)
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var order = await fixture.Client.ReadyOrderAsync(fixture.Server, "app.test");
        Assert.Equal("badCSR", (await fixture.Client.FinalizeAsync(order, TestFlow.Csr(_key, names))).Problem);
        Assert.Equal("ready", (await fixture.Client.PostAsync(order.Location!)).Text("status"));
    }

    [Fact]
    public async Task Finalize_SignatureOfCsrWrong_IsBadCsr()
    {
        var csr = TestFlow.Csr(_key, "app.test");
        var flipped = csr[^1] == 'A' ? 'Q' : 'A';
        await AssertBadAsync(csr[..^2] + "A" + flipped);
    }

    [Fact]
    public Task Finalize_CsrGarbage_IsBadCsr() => AssertBadAsync("AAAA");

    [Fact]
    public async Task Finalize_KeyOfTheAccount_IsBadCsr()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var order = await fixture.Client.ReadyOrderAsync(fixture.Server, "app.test");
        var response = await fixture.Client.FinalizeAsync(order, TestFlow.Csr(fixture.Client.Key.Key, "app.test"));
        Assert.Equal("badCSR", response.Problem);
        Assert.Contains("account", response.Text("detail"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Finalize_KeyTooWeak_IsBadCsr()
    {
        using var weak = RSA.Create(1024);
        await AssertBadAsync(TestFlow.Csr(weak, "app.test"));
    }

    [Fact]
    public async Task Finalize_CurveNotAccepted_IsBadCsr()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP521);
        await AssertBadAsync(TestFlow.Csr(key, "app.test"));
    }

    [Fact]
    public async Task Finalize_AsksForACaCertificate_IsBadCsr()
    {
        var request = new CertificateRequest("CN=app.test", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        await AssertBadAsync(TestKey.Encode(request.CreateSigningRequest()));
    }

    [Fact]
    public async Task Finalize_EmailInCsr_IsBadCsr()
    {
        var request = new CertificateRequest("CN=app.test", _key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("app.test");
        names.AddEmailAddress("a@app.test");
        request.CertificateExtensions.Add(names.Build());
        await AssertBadAsync(TestKey.Encode(request.CreateSigningRequest()));
    }

    [Theory]
    [InlineData(2048)]
    [InlineData(3072)]
    [InlineData(4096)]
    public async Task Finalize_RsaKey_IsAccepted(int bits)
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var order = await fixture.Client.ReadyOrderAsync(fixture.Server, "app.test");
        using var rsa = RSA.Create(bits);
        Assert.Equal("valid", (await fixture.Client.FinalizeAsync(order, TestFlow.Csr(rsa, "app.test"))).Text("status"));
    }

    [Fact]
    public async Task Finalize_NameInCommonNameOnly_IsAccepted()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var order = await fixture.Client.ReadyOrderAsync(fixture.Server, "app.test");
        var request = new CertificateRequest("CN=APP.test", _key, HashAlgorithmName.SHA256);
        var response = await fixture.Client.FinalizeAsync(order, TestKey.Encode(request.CreateSigningRequest()));
        Assert.Equal("valid", response.Text("status"));
    }

    [Fact]
    public async Task Finalize_ManyAtOnce_OneWins()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var order = await fixture.Client.ReadyOrderAsync(fixture.Server, "app.test");
        var url = order.Text("finalize");
        var bodies = new List<string>();
        for (var i = 0; i < 8; i++)
        {
            var header = await fixture.Client.HeaderAsync(url);
            bodies.Add(fixture.Client.Key.Jws(header, $$"""{"csr":"{{TestFlow.Csr(_key, "app.test")}}"}""").ToJsonString());
        }

        var responses = await Task.WhenAll(bodies.Select(b => fixture.Client.SendAsync(url, b)));

        Assert.Single(responses, r => r.Status == 200);
        Assert.Single(fixture.Authority.Issued);
    }

    private static async Task AssertBadAsync(string csr)
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var order = await fixture.Client.ReadyOrderAsync(fixture.Server, "app.test");
        var response = await fixture.Client.FinalizeAsync(order, csr);
        Assert.Equal((400, "badCSR"), (response.Status, response.Problem));
    }
}
