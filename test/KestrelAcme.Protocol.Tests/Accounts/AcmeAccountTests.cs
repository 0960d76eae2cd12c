using System.Security.Cryptography;
using System.Text;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Tests.Scripted;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Accounts;

public sealed class AcmeAccountTests : ScriptedTest
{
    [Fact]
    public async Task CreateAccountAsync_NewAccount_SendsJwkAndKeepsLocation()
    {
        var request = new NewAccountRequest { Contacts = ["me@example.com"], TermsOfServiceAgreed = true };
        var account = await Client.CreateAccountAsync(Key, request, Cancellation);

        Assert.True(account.IsNew);
        Assert.Equal("https://acme.test/account/1", account.Url.AbsoluteUri);
        var sent = Assert.Single(Server.To("/new-account"));
        Assert.Equal("application/jose+json", sent.ContentType);
        Assert.Equal("""{"contact":["mailto:me@example.com"],"termsOfServiceAgreed":true}""", sent.Payload);
        Assert.Equal("https://acme.test/new-account", sent.Header.GetProperty("url").GetString());
        Assert.Equal("EC", sent.Header.GetProperty("jwk").GetProperty("kty").GetString());
        Assert.False(sent.Header.TryGetProperty("kid", out _));
        Assert.StartsWith("KestrelAcme.Protocol/", sent.UserAgent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CreateAccountAsync_ExternalAccountBinding_IsSignedOverTheJwk()
    {
        using var binding = new ExternalAccountBinding("kid-1", Rfc7515Key);
        await Client.CreateAccountAsync(Key, new NewAccountRequest { ExternalAccountBinding = binding }, Cancellation);

        using var payload = System.Text.Json.JsonDocument.Parse(Server.To("/new-account")[0].Payload);
        var external = payload.RootElement.GetProperty("externalAccountBinding");
        string Part(string name) => external.GetProperty(name).GetString()!;
        var input = Encoding.ASCII.GetBytes($"{Part("protected")}.{Part("payload")}");
        Assert.Equal(
            """{"alg":"HS256","kid":"kid-1","url":"https://acme.test/new-account"}""",
            Encoding.ASCII.GetString(Jose.Rfc7515.Bytes(Part("protected"))));
        Assert.Equal(Encoding.ASCII.GetString(Key.Signer.Jwk()), Encoding.ASCII.GetString(Jose.Rfc7515.Bytes(Part("payload"))));
        Assert.Equal(HMACSHA256.HashData(Jose.Rfc7515.Bytes(Rfc7515Key), input), Jose.Rfc7515.Bytes(Part("signature")));
        Assert.Equal("kid-1", binding.ToString());
    }

    [Fact]
    public async Task FindAccountAsync_None_SaysSo()
    {
        Server.On("/new-account", Answer.Problem(400, "accountDoesNotExist", "No such account"));

        var exception = await Assert.ThrowsAsync<AcmeException>(() => Client.FindAccountAsync(Key, Cancellation));

        Assert.True(exception.HasProblem(AcmeProblemTypes.AccountDoesNotExist));
        Assert.Equal("""{"onlyReturnExisting":true}""", Server.To("/new-account")[0].Payload);
    }

    [Fact]
    public async Task CreateAccountAsync_NoLocation_IsMalformed()
    {
        Server.On("/new-account", Answer.Json("{}", 201));

        await Assert.ThrowsAsync<AcmeMalformedResponseException>(
            () => Client.CreateAccountAsync(Key, new NewAccountRequest(), Cancellation));
    }

    [Fact]
    public async Task RolloverKeyAsync_Accepted_InnerJwsBindsOldKeyAndAccount()
    {
        using var newKey = AccountKey.Generate(AccountKeyAlgorithm.ES384);
        Server.On("/key-change", Answer.Empty(200));

        var renewed = await Account.RolloverKeyAsync(newKey, Cancellation);

        Assert.Same(newKey, renewed.Key);
        Assert.Equal(Account.Url, renewed.Url);
        var outer = Assert.Single(Server.To("/key-change"));
        var inner = outer with { Body = outer.Payload };
        Assert.Equal("https://acme.test/account/1", outer.Header.GetProperty("kid").GetString());
        Assert.Equal("ES384", inner.Header.GetProperty("alg").GetString());
        Assert.Null(inner.Nonce);
        Assert.Equal(
            $$"""{"account":"https://acme.test/account/1","oldKey":{{Encoding.ASCII.GetString(Key.Signer.Jwk())}}}""", inner.Payload);
    }

    [Fact]
    public async Task RolloverKeyAsync_AnswerLostButDone_FindsTheAccountByTheNewKey()
    {
        using var newKey = AccountKey.Generate();
        Server.On("/key-change", Answer.Lost());
        Server.On("/new-account", Answer.Json("{}", 200, ("Location", "/account/1")));

        await Account.RolloverKeyAsync(newKey, Cancellation);

        Assert.Single(Server.To("/key-change"));
        Assert.Equal(newKey.Thumbprint, ThumbprintOf(Server.To("/new-account")[0]));
    }

    [Fact]
    public async Task RolloverKeyAsync_AnswerLostAndNotDone_IsInDoubt()
    {
        using var newKey = AccountKey.Generate();
        Server.On("/key-change", Answer.Lost());
        Server.On("/new-account", Answer.Problem(400, "accountDoesNotExist"));

        var exception = await Assert.ThrowsAsync<AcmeUnreachableException>(() => Account.RolloverKeyAsync(newKey, Cancellation));

        Assert.True(exception.RequestMayHaveBeenProcessed);
    }

    [Fact]
    public async Task DeactivateAsync_RepeatedAfterLoss_CountsAsDone()
    {
        Server.On("/account/1", Answer.Lost(), Answer.Problem(403, "unauthorized"));

        var details = await Run(Account.DeactivateAsync(Cancellation));

        Assert.Equal(AccountStatus.Deactivated, details.Status);
        Assert.Equal("""{"status":"deactivated"}""", Server.To("/account/1")[0].Payload);
    }

    [Fact]
    public async Task DeactivateAsync_NothingWasLost_Throws()
    {
        Server.On("/account/1", Answer.Problem(403, "unauthorized"));
        await Assert.ThrowsAsync<AcmeException>(() => Account.DeactivateAsync(Cancellation));

        Server.On("/account/1", Answer.Refused(), Answer.Problem(403, "unauthorized"));
        await RunToFailure<AcmeException>(Account.DeactivateAsync(Cancellation));
    }

    [Fact]
    public async Task GetOrdersAsync_NoList_IsNull()
    {
        Server.On("/account/1", Answer.Json("""{"status":"valid"}"""));
        Assert.Null(await Account.GetOrdersAsync(Cancellation));

        Server.On("/account/1", Answer.Json("""{"status":"valid","orders":"/orders"}"""));
        Assert.Null(await Account.GetOrdersAsync(Cancellation));
    }

    [Fact]
    public async Task GetOrdersAsync_Pages_AreFollowed()
    {
        Server.On("/account/1", Answer.Json("""{"orders":"/orders"}"""));
        Server.On("/orders", Answer.Json("""{"orders":["/order/1","/order/2"]}""", 200, ("Link", "</orders2>;rel=\"next\"")));
        Server.On("/orders2", Answer.Json("""{"orders":["/order/3"]}"""));

        var orders = await Account.GetOrdersAsync(Cancellation);

        Assert.Equal(["/order/1", "/order/2", "/order/3"], orders!.Select(url => url.AbsolutePath));
        Assert.Equal("", Server.To("/orders")[0].Payload);
    }

    [Theory]
    [InlineData("""["/order/1"]""", 1)]
    [InlineData("[]", 0)]
    [InlineData("""{"orders":[]}""", 0)]
    [InlineData("null", null)]
    [InlineData("{}", null)]
    [InlineData("<html>", null)]
    public async Task GetOrdersAsync_OtherForms_AreReadOrNone(string json, int? count)
    {
        Server.On("/account/1", Answer.Json("""{"orders":"/orders"}"""));
        Server.On("/orders", Answer.Json(json));

        Assert.Equal(count, (await Account.GetOrdersAsync(Cancellation))?.Count);
    }

    private const string Rfc7515Key = Jose.Rfc7515.HmacKey;

    private static string ThumbprintOf(RecordedRequest request) => System.Buffers.Text.Base64Url.EncodeToString(
        SHA256.HashData(Encoding.ASCII.GetBytes(request.Header.GetProperty("jwk").GetRawText())));
}
