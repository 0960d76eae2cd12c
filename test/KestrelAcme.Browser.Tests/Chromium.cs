using KestrelAcme.Testing;
using Microsoft.Playwright;
using Xunit;

[assembly: AssemblyFixture(typeof(KestrelAcme.Browser.Tests.Chromium))]

namespace KestrelAcme.Browser.Tests;

/// <summary>
/// Starts the installed Chromium without a display, once for all tests: its folder is the temporary folder of this process from then on,
/// so it must outlive what the others put there. It also works if the tests run as root. The files that it
/// and its driver write are deleted afterwards.
/// </summary>
public sealed class Chromium : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private readonly SemaphoreSlim _starting = new(1);
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>Opens a window of its own: nothing is shared with others.</summary>
    /// <param name="configure">Colors, size, scripts.</param>
    internal async Task<Window> OpenAsync(Action<BrowserNewContextOptions>? configure = null)
    {
        var options = new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = 1120, Height = 900 }, IgnoreHTTPSErrors = true, ReducedMotion = ReducedMotion.Reduce,
        };
        configure?.Invoke(options);
        var context = await (await StartAsync()).NewContextAsync(options);
        return new Window(context, await context.NewPageAsync());
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
        _starting.Dispose();
        _folder.Dispose();
    }

    // Not in a fixture's start: there, a browser that is missing would be a failure and not a skip.
    private async Task<IBrowser> StartAsync()
    {
        var executable = RequireServer.Installed("chromium", "chromium");
        await _starting.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            if (_browser is null)
            {
                Environment.SetEnvironmentVariable("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
                Environment.SetEnvironmentVariable("TMPDIR", _folder.Path);
                _playwright ??= await Playwright.CreateAsync();
                _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
                {
                    ExecutablePath = executable,
                    Args =
                    [
                        "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server", "--disable-crash-reporter",
                        "--host-resolver-rules=MAP *.test 127.0.0.1",
                    ],
                    Env = new Dictionary<string, string>(StringComparer.Ordinal)
                    {
                        ["HOME"] = _folder.Path, ["TMPDIR"] = _folder.Path, ["DBUS_SESSION_BUS_ADDRESS"] = "disabled:",
                        ["XDG_RUNTIME_DIR"] = _folder.Path,
                    },
                    Timeout = 120_000,
                });
            }

            return _browser;
        }
        finally
        {
            _starting.Release();
        }
    }
}

/// <summary>A window of the browser, which takes down what the browser complains about.</summary>
internal sealed class Window : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly List<string> _complaints = [];

    public Window(IBrowserContext context, IPage page)
    {
        (_context, Page) = (context, page);
        page.SetDefaultTimeout(60_000);
        page.Console += (_, message) => Add(message.Type is "error" or "warning", $"{message.Type}: {message.Text}");
        page.PageError += (_, error) => Add(true, $"exception: {error}");
        page.Dialog += (_, dialog) =>
        {
            Add(true, $"dialog: {dialog.Message}");
            _ = dialog.DismissAsync();
        };
        page.Response += (_, response) => Add(response.Status >= 400, $"{response.Status}: {response.Url}");
    }

    public IPage Page { get; }

    /// <summary>Errors on the console, exceptions, dialogs and failed responses.</summary>
    public IReadOnlyList<string> Complaints
    {
        get
        {
            lock (_complaints)
            {
                return [.. _complaints];
            }
        }
    }

    /// <summary>Keeps a picture of the whole page in artifacts/screenshots of the repository.</summary>
    /// <param name="name">The name of the file.</param>
    /// <param name="height">The height of the part to keep; <see langword="null"/> for the whole page.</param>
    public async Task KeepScreenshotAsync(string name, int? height = null)
    {
        var image = await Page.ScreenshotAsync(new PageScreenshotOptions
        {
            FullPage = true, Clip = height is { } most ? new Clip { Width = Page.ViewportSize!.Width, Height = most } : null,
        });
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "KestrelAcme.sln")))
            {
                var file = Path.Combine(folder.FullName, "artifacts", "screenshots", $"{name}.png");
                Directory.CreateDirectory(Path.GetDirectoryName(file)!);
                await File.WriteAllBytesAsync(file, image, TestContext.Current.CancellationToken);
                return;
            }
        }
    }

    public async ValueTask DisposeAsync() => await _context.DisposeAsync();

    private void Add(bool isComplaint, string text)
    {
        if (isComplaint)
        {
            lock (_complaints)
            {
                _complaints.Add(text);
            }
        }
    }
}
