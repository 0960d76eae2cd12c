using KestrelAcme.Samples.Tests;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using Microsoft.Playwright;
using Xunit;

namespace KestrelAcme.Browser.Tests;

/// <summary>The admin page of samples/Tenants in a real browser, from a new domain to the last visit.</summary>
public sealed class TenantsPageTests(Chromium chromium, TenantsSite site) : IClassFixture<TenantsSite>
{
    private const int Phone = 360;

    private static readonly string Longest = $"{new string('a', 63)}.{new string('b', 63)}.{new string('c', 63)}.localhost";

    [Theory]
    [InlineData("light", true, ColorScheme.Light, 1120)]
    [InlineData("phone-dark", false, ColorScheme.Dark, Phone)]
    public async Task Page_DomainIsAddedVisitedAndRemoved_SaysWhatBecameOfIt(string name, bool script, ColorScheme colors, int width)
    {
        var port = await site.GetAsync();
        await using var window = await chromium.OpenAsync(options =>
        {
            options.ColorScheme = colors;
            options.JavaScriptEnabled = script;
            options.ViewportSize = new ViewportSize { Width = width, Height = 860 };
        });
        var (page, domain, admin) = (window.Page, $"{name}.localhost", $"https://admin.localhost:{port}/");
        var row = page.GetByRole(AriaRole.Listitem).Filter(new() { HasText = domain });

        await page.GotoAsync(admin);
        await AddAsync("not a domain");
        var problem = await page.GetByRole(AriaRole.Alert).InnerTextAsync();
        var typed = await page.GetByLabel("Domain").InputValueAsync();
        var overflow = await OverflowAsync();
        await window.KeepScreenshotAsync($"tenants-problem-{name}");
        await AddAsync(domain.ToUpperInvariant());
        await AddAsync(Longest);
        var before = await row.InnerTextAsync();

        await row.GetByRole(AriaRole.Link).ClickAsync();
        var welcome = await page.Locator("body").InnerTextAsync();
        await page.GotoAsync(admin);
        var after = await row.InnerTextAsync();
        overflow += await OverflowAsync();
        await window.KeepScreenshotAsync($"tenants-{name}");

        await page.GetByRole(AriaRole.Button, new() { Name = $"Remove {domain}" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = $"Remove {Longest}" }).ClickAsync();
        await page.GetByText("No domain yet.").WaitForAsync();
        var complaints = window.Complaints;

        Assert.Contains("'not a domain' is not a domain", problem, StringComparison.Ordinal);
        Assert.Equal("not a domain", typed);
        Assert.Contains("Waits for its first visitor", before, StringComparison.Ordinal);
        Assert.StartsWith($"Welcome to {domain}:{port}", welcome, StringComparison.Ordinal);
        Assert.Contains("Served until 20", after, StringComparison.Ordinal);
        Assert.Equal(0, overflow);
        Assert.Empty(complaints);
        await Assert.ThrowsAsync<PlaywrightException>(() => page.GotoAsync($"https://{domain}:{port}/"));

        async Task AddAsync(string text)
        {
            await page.GetByLabel("Domain").FillAsync(text);
            await page.GetByRole(AriaRole.Button, new() { Name = "Add" }).ClickAsync();
        }

        Task<int> OverflowAsync()
            => page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - document.documentElement.clientWidth");
    }
}

/// <summary>The sample in a process of its own, once for all tests of a class.</summary>
public sealed class TenantsSite : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly int _port = FreePort.Tcp();
    private ChildProcess? _sample;

    public async ValueTask DisposeAsync()
    {
        if (_sample is not null)
        {
            await _sample.DisposeAsync();
        }

        _folder.Dispose();
    }

    /// <summary>Returns the port of its HTTPS endpoint.</summary>
    internal async Task<int> GetAsync()
    {
        if (_sample is null)
        {
            _sample = BuiltSample.Start("Tenants", _folder.Path, new Dictionary<string, string?>
            {
                ["ASPNETCORE_ENVIRONMENT"] = "Development",
                ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{FreePort.Tcp()};https://127.0.0.1:{_port}",
            });
            await _sample.WaitForLineAsync("admin.localhost: now serving", cancellationToken: TestContext.Current.CancellationToken);
        }

        return _port;
    }
}
