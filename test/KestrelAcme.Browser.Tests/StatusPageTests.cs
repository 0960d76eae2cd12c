using KestrelAcme.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using Xunit;

namespace KestrelAcme.Browser.Tests;

/// <summary>The status page in a real browser. Pictures of it are attached to the results.</summary>
public sealed class StatusPageTests(Chromium chromium, StatusSite site) : IClassFixture<StatusSite>
{
    private const int Phone = 360;

    // The text of each element against the color behind it (WCAG 2.2, 1.4.3), and the parts of the bar against the card (1.4.11).
    private const string LowContrasts = """
        () => {
          const parse = text => { const v = text.match(/[\d.]+/g).map(Number); return [v[0], v[1], v[2], v[3] ?? 1]; };
          const over = (a, b) => [0, 1, 2].map(i => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
          const light = c => { const [r, g, b] = c.slice(0, 3).map(v => v / 255)
              .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
            return .2126 * r + .7152 * g + .0722 * b; };
          const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05) / (y + .05); };
          const behind = element => { const layers = [];
            for (let e = element; e; e = e.parentElement) {
              layers.push(parse(getComputedStyle(e).backgroundColor));
              if (layers.at(-1)[3] === 1) break;
            }
            return layers.reverse().reduce((under, c) => over(c, under), [255, 255, 255, 1]); };
          const bad = [];
          let texts = 0;
          for (const element of document.querySelectorAll('body *')) {
            const style = getComputedStyle(element);
            const own = [...element.childNodes].some(n => n.nodeType === 3 && n.data.trim());
            if ((own || element.tagName === 'INPUT') && element.checkVisibility() && !(element instanceof SVGElement)) {
              const back = behind(element), found = ratio(over(parse(style.color), back), back);
              texts++;
              const name = `${element.tagName}.${element.className} "${element.textContent.slice(0, 30)}"`;
              if (found < 4.5) bad.push(`${name}: ${found.toFixed(2)}`);
            }
          }
          for (const part of document.querySelectorAll('.bar .gone, .bar .next, .bar .now, .bar .window')) {
            const style = getComputedStyle(part), back = behind(part.closest('.card'));
            const paint = parse(part.matches('.window') ? style.stroke : style.fill), found = ratio(paint, back);
            if (found < 3) bad.push(`${part.getAttribute('class')}: ${found.toFixed(2)}`);
          }
          for (const control of document.querySelectorAll('button, input:not([type=hidden])')) {
            const found = ratio(parse(getComputedStyle(control).borderTopColor), behind(control.parentElement));
            if (found < 3) bad.push(`border of ${control.tagName}: ${found.toFixed(2)}`);
          }
          return texts < 20 ? [`only ${texts} texts`] : bad;
        }
        """;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("light", ColorScheme.Light, 1120)]
    [InlineData("dark", ColorScheme.Dark, 1120)]
    [InlineData("phone", ColorScheme.Light, Phone)]
    [InlineData("phone-dark", ColorScheme.Dark, Phone)]
    public async Task Page_EveryState_IsReadable(string name, ColorScheme colors, int width)
    {
        var app = await site.GetAsync();
        await using var window = await chromium.OpenAsync(options =>
        {
            options.ColorScheme = colors;
            options.ViewportSize = new ViewportSize { Width = width, Height = 860 };
        });

        await window.Page.GotoAsync(app.Gallery.Replace("gallery", "showcase", StringComparison.Ordinal));
        await window.KeepScreenshotAsync($"status-{name}");
        if (name == "light")
        {
            // docs/status.png.
            await window.KeepScreenshotAsync("status", height: 1190);
        }

        await window.Page.GotoAsync(app.Gallery);
        await window.Page.EvaluateAsync("() => document.querySelectorAll('details').forEach(d => d.open = true)");
        await window.KeepScreenshotAsync($"status-gallery-{name}");
        var low = await window.Page.EvaluateAsync<string[]>(LowContrasts);
        var overflow = await window.Page.EvaluateAsync<int>(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth");
        var injected = await window.Page.EvaluateAsync<int>("() => document.querySelectorAll('main script, main img').length");

        Assert.Empty(low);
        Assert.Equal((0, 0), (overflow, injected));
        Assert.Empty(window.Complaints);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Renew_WithoutJavaScript_RenewsAndSaysSo(bool antiforgery)
    {
        await using var another = antiforgery ? await StatusApp.StartAsync(services => services.AddAntiforgery()) : null;
        var app = another ?? await site.GetAsync();
        await using var window = await chromium.OpenAsync(options => options.JavaScriptEnabled = false);
        var before = app.Certificates.Find(StatusApp.Name)!.SerialNumber;

        await window.Page.GotoAsync(app.Url);
        await window.Page.GetByRole(AriaRole.Button, new() { Name = $"Renew {StatusApp.Name}" }).ClickAsync();
        await Poll.UntilAsync(
            async _ =>
            {
                await window.Page.ReloadAsync();
                return (await window.Page.Locator(".note").First.TextContentAsync())!.Contains("was renewed.", StringComparison.Ordinal);
            },
            "the renewal",
            cancellationToken: Cancelled);
        await window.Page.GetByText("Last events").ClickAsync();
        await window.KeepScreenshotAsync("status-renewed");

        Assert.EndsWith($"/acme-status?page=1&asked={StatusApp.Name}", window.Page.Url, StringComparison.Ordinal);
        Assert.NotEqual(before, app.Certificates.Find(StatusApp.Name)!.SerialNumber);
        Assert.True(await window.Page.GetByText("Now serving certificate").First.IsVisibleAsync());
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task Page_RenewalMeanwhile_IsShownWithoutAReload()
    {
        var app = await site.GetAsync();
        await using var window = await chromium.OpenAsync();
        await window.Page.GotoAsync(app.Url);
        await window.Page.GetByText("Last events").ClickAsync();
        await window.Page.Locator("html[data-live=on]").WaitForAsync();

        var renewed = await app.Certificates.RenewAsync(StatusApp.Name, Cancelled);

        await window.Page.Locator("#live").WaitForAsync();
        await window.Page.Locator("code", new() { HasText = renewed.SerialNumber! }).WaitForAsync();
        Assert.True(await window.Page.Locator("details").First.EvaluateAsync<bool>("d => d.open"));
        await window.Page.GetByRole(AriaRole.Button, new() { Name = $"Renew {StatusApp.Name}" }).ClickAsync();
        await window.Page.GetByText($"{StatusApp.Name} was renewed.").Or(window.Page.GetByText($"{StatusApp.Name} is being renewed."))
            .First.WaitForAsync();
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task Page_Keyboard_ReachesEveryControlAndShowsWhereItIs()
    {
        var app = await site.GetAsync();
        await using var window = await chromium.OpenAsync();
        await window.Page.GotoAsync(app.Gallery);
        var controls = await window.Page.Locator("button, a[href], summary, input:not([type=hidden])").CountAsync();

        List<string> reached = [];
        for (var i = 0; i < controls; i++)
        {
            await window.Page.Keyboard.PressAsync("Tab");
            reached.Add(await window.Page.EvaluateAsync<string>(
                """
                () => {
                  const e = document.activeElement, s = getComputedStyle(e);
                  const name = `${e.tagName} ${e.id || e.parentElement.id} ${e.textContent.slice(0, 20)}`;
                  return `${name} ${s.outlineStyle} ${parseFloat(s.outlineWidth) >= 2}`;
                }
                """));
        }

        Assert.Equal(controls, reached.Distinct(StringComparer.Ordinal).Count());
        Assert.All(reached, r => Assert.EndsWith("solid true", r, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Page_Controls_AllHaveNames()
    {
        var app = await site.GetAsync();
        await using var window = await chromium.OpenAsync();
        await window.Page.GotoAsync(app.Gallery);

        var nameless = await window.Page.EvaluateAsync<string[]>(
            """
            () => [...document.querySelectorAll('button, a, summary, nav, input:not([type=hidden])')]
              .filter(e => !(e.ariaLabel || e.ariaLabelledByElements || e.textContent.trim() || e.labels?.[0]?.textContent.trim()))
              .map(e => e.outerHTML)
            """);
        var duplicates = await window.Page.EvaluateAsync<string[]>(
            "() => [...document.querySelectorAll('[id]')].map(e => e.id).filter((id, i, ids) => ids.indexOf(id) !== i)");

        Assert.Empty(nameless);
        Assert.Empty(duplicates);
        Assert.Equal("en", await window.Page.Locator("html").GetAttributeAsync("lang"));
        Assert.Equal(1, await window.Page.GetByRole(AriaRole.Main).CountAsync());
        Assert.Equal(1, await window.Page.GetByRole(AriaRole.Heading, new() { Level = 1 }).CountAsync());
        Assert.Equal(11, await window.Page.GetByRole(AriaRole.Heading, new() { Level = 2 }).CountAsync());
    }

    [Fact]
    public async Task Search_Name_FindsIt()
    {
        var app = await site.GetAsync();
        await using var window = await chromium.OpenAsync(options => options.JavaScriptEnabled = false);
        await window.Page.GotoAsync(app.Url);

        await window.Page.GetByLabel("Find a name").FillAsync("nothing<b>");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Search" }).ClickAsync();
        var nothing = await window.Page.GetByText("No certificate has a name with 'nothing<b>'.").CountAsync();
        await window.Page.GetByLabel("Find a name").FillAsync("SHOP");
        await window.Page.Keyboard.PressAsync("Enter");
        await window.Page.GetByRole(AriaRole.Heading, new() { Name = StatusApp.Name }).WaitForAsync();

        Assert.Equal(1, nothing);
        Assert.Empty(window.Complaints);
    }
}
