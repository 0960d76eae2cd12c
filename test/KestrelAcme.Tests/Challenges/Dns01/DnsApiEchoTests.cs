using System.Text;
using KestrelAcme.Challenges;
using KestrelAcme.Diagnostics;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.Challenges.Dns01.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01;

/// <summary>
/// APIs that return the credentials they were sent, in any form. The credentials must not appear in exceptions, logs or the state.
/// </summary>
public sealed class DnsApiEchoTests
{
    private const string Secret = "Secret/of+the api?<&>";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>The format of the response; <c>{0}</c> is the secret, in each of its forms.</summary>
    public static TheoryData<string, string> Answers => new()
    {
        { "PowerDns", """{{"error":"bad key {0}"}}""" },
        { "PowerDns", "<html>X-API-Key: {0}</html>" },
        {
            "Cloudflare",
            """{{"success":false,"errors":[{{"code":1,"message":"bad token {0}","error_chain":[{{"code":2,"message":"Bearer {0}"}}]}}]}}"""
        },
        { "Cloudflare", "<html>Authorization: Bearer {0}</html>" },
        { "AcmeDns", """{{"error":"{0}"}}""" },
        { "AcmeDns", "X-Api-Key: {0}" },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task Prepare_ApiRepeatsTheCredentials_TheyAreHidden(string provider, string format)
    {
        string[] seen = [];
        await using var bind = await BindServer.StartAsync(cancellationToken: Cancelled);
        await using var api = await StubApi.StartAsync(
            app => app.Run(context =>
            {
                var request = context.Request;
                if (request.Path == "/register")
                {
                    return context.Response.WriteAsync(
                        """
                        {
                            "username": "name-of-the-user",
                            "password": "password-of-the-user",
                            "subdomain": "sub",
                            "fulldomain": "_acme-challenge.example.test"
                        }
                        """);
                }

                seen = [.. request.Headers
                    .Where(h => h.Key is "X-API-Key" or "X-Api-User" or "X-Api-Key" or "Authorization")
                    .Select(h => h.Value.ToString().Replace("Bearer ", "", StringComparison.Ordinal))];
                var forms = seen.SelectMany(s => new[] { s, Uri.EscapeDataString(s), Base64(s), Base64("user:" + s) });
                context.Response.StatusCode = 400;
                return context.Response.WriteAsync(string.Format(null, format, string.Join(' ', forms)));
            }),
            Cancelled);
        await using var app = new DnsFixture(Settings(provider, api.Url), bind.Address.Port);

        var exception = await Assert.ThrowsAsync<ChallengeException>(
            () => app.Handler.PrepareAsync(DnsFixture.Challenge("example.test", "one"), Cancelled));

        var written = $"{exception}\n{app.Log}";
        Assert.NotEmpty(seen);
        Assert.Contains(SentSecrets.Mask, exception.Message, StringComparison.Ordinal);
        foreach (var secret in seen)
        {
            Assert.DoesNotContain(secret, written, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(Uri.EscapeDataString(secret), written, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(Base64(secret).TrimEnd('=')[..^1], written, StringComparison.Ordinal);
            Assert.DoesNotContain(Base64("user:" + secret).TrimEnd('=')[8..^1], written, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("a {0} b")]
    [InlineData("{0}{0}")]
    public void Hide_EveryForm_IsHidden(string format)
    {
        var secrets = new SentSecrets([Secret, null, "", "abc"]);
        foreach (var form in new[]
        {
            Secret,
            Secret.ToUpperInvariant(),
            Uri.EscapeDataString(Secret),
            System.Net.WebUtility.UrlEncode(Secret),
            System.Net.WebUtility.HtmlEncode(Secret),
            Convert.ToHexStringLower(Encoding.UTF8.GetBytes(Secret)),
            System.Text.Json.JsonEncodedText.Encode(Secret).ToString(),
        })
        {
            Assert.Equal(string.Format(null, format, SentSecrets.Mask), secrets.Hide(string.Format(null, format, form)));
        }
    }

    [Fact]
    public void Quote_SecretAtTheEndOfWhatIsShown_IsNotShownInPart()
    {
        var quoted = new SentSecrets(["a-long-secret-value"]).Quote(new string('x', QuotedText.MaxReplyLength - 8) + "a-long-secret-value");

        Assert.DoesNotContain("a-long", quoted, StringComparison.Ordinal);
        Assert.Equal("abc", new SentSecrets(["abc"]).Quote("abc"));
    }

    private static Dictionary<string, string?> Settings(string provider, Uri url)
    {
        var settings = new Dictionary<string, string?> { ["AcmeHttps:DnsProviders:0:Type"] = provider };
        foreach (var (key, value) in provider switch
        {
            "PowerDns" => [("ApiUrl", url.ToString()), ("ApiKey", "key-of-the/api+1234")],
            "Cloudflare" => [("ApiUrl", url.ToString()), ("ApiToken", "token-of-the-api_1234")],
            _ => new[] { ("ServerUrl", url.ToString()) },
        })
        {
            settings[$"AcmeHttps:DnsProviders:0:{key}"] = value;
        }

        return settings;
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
