using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Samples.Tests;

public sealed class YarpTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_AsAProgram_ServesEachHostAndFollowsTheRoutes()
    {
        using var folder = new TemporaryFolder();
        var (http, https) = (FreePort.Tcp(), FreePort.Tcp());
        await using var sample = BuiltSample.Start("Yarp", folder.Path, new Dictionary<string, string?>
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Development",
            ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{http};https://127.0.0.1:{https}",
        });
        foreach (var host in (string[])["shop.localhost", "blog.localhost", "www.blog.localhost"])
        {
            await sample.WaitForLineAsync($"{host}: now serving", cancellationToken: Cancelled);
        }

        using var client = BuiltSample.Client(folder.Combine(".kestrel-acme", "authority"), https);
        Assert.Equal("/shop/cart for shop.localhost over https\n", await GetAsync("https://shop.localhost/cart"));
        Assert.Equal("/blog/ for www.blog.localhost over https\n", await GetAsync("https://www.blog.localhost/"));

        var settings = await File.ReadAllTextAsync(folder.Combine("appsettings.json"), Cancelled);
        await File.WriteAllTextAsync(
            folder.Combine("appsettings.json"),
            settings.Replace("\"www.blog.localhost\"", "\"www.blog.localhost\", \"new.localhost\"", StringComparison.Ordinal),
            Cancelled);
        await sample.WaitForLineAsync("new.localhost: now serving", cancellationToken: Cancelled);

        Assert.Equal("/blog/ for new.localhost over https\n", await GetAsync("https://new.localhost/"));
        Assert.DoesNotContain("internal.localhost", sample.Output, StringComparison.Ordinal);
        Assert.True(await sample.StopAsync(cancellationToken: Cancelled) && sample.ExitCode == 0, sample.Output);

        Task<string> GetAsync(string address) => client.GetStringAsync(new Uri(address), Cancelled);
    }
}
