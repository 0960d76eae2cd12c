using System.Net;
using System.Text.RegularExpressions;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Samples.Tests;

[Long]
public sealed partial class TenantsTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_AsAProgram_ServesTheDomainsOfTheTableAndNoOthers()
    {
        using var folder = new TemporaryFolder();
        var (http, https) = (FreePort.Tcp(), FreePort.Tcp());
        await using var sample = BuiltSample.Start("Tenants", folder.Path, new Dictionary<string, string?>
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Development",
            ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{http};https://127.0.0.1:{https}",
        });
        await sample.WaitForLineAsync("admin.localhost: now serving", cancellationToken: Cancelled);
        using var client = BuiltSample.Client(folder.Combine(".kestrel-acme", "authority"), https);

        await PostAsync("Add", "shop.localhost");
        // The first visitor waits for the certificate as long as Kestrel waits for a handshake, and on a busy machine comes again.
        var welcome = "";
        await Poll.UntilAsync(
            async _ => (welcome = await GetAsync("https://shop.localhost/")).Length > 0, "shop.localhost", cancellationToken: Cancelled);
        Assert.Equal("Welcome to shop.localhost\n", welcome);
        Assert.Contains("Served until", await GetAsync("https://admin.localhost/"), StringComparison.Ordinal);

        // Foreign names are refused in the handshake, and no customer sees the admin page.
        await Assert.ThrowsAsync<HttpRequestException>(() => GetAsync("https://other.localhost/"));
        Assert.DoesNotContain("other.localhost", await GetAsync("https://admin.localhost/"), StringComparison.Ordinal);

        await PostAsync("Remove", "shop.localhost");
        using var fresh = BuiltSample.Client(folder.Combine(".kestrel-acme", "authority"), https);
        await Assert.ThrowsAsync<HttpRequestException>(() => fresh.GetStringAsync(new Uri("https://shop.localhost/"), Cancelled));
        Assert.DoesNotContain("shop.localhost:", await GetAsync("https://admin.localhost/"), StringComparison.Ordinal);
        Assert.True(await sample.StopAsync(cancellationToken: Cancelled) && sample.ExitCode == 0, sample.Output);

        Task<string> GetAsync(string address) => client.GetStringAsync(new Uri(address), Cancelled);

        async Task PostAsync(string handler, string domain)
        {
            var page = await GetAsync("https://admin.localhost/");
            using var form = new FormUrlEncodedContent(new Dictionary<string, string>
            {
                ["domain"] = domain,
                ["__RequestVerificationToken"] = Token().Match(page).Groups[1].Value,
            });
            using var response = await client.PostAsync(new Uri($"https://admin.localhost/?handler={handler}"), form, Cancelled);
            Assert.Equal(HttpStatusCode.Redirect, response.StatusCode);
        }
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\" type=\"hidden\" value=\"([^\"]+)\"")]
    private static partial Regex Token();
}
