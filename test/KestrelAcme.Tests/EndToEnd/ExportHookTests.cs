using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>Runs a real program after a real export.</summary>
public sealed class ExportHookTests
{
    private const string Name = "mail.test";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Export_FilesChanged_RunsTheProgramOnceForEachVersion()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The program is a shell script.");
        await using var fixture = await LocalFixture.StartAsync();
        using var folder = new TemporaryFolder();
        var runs = folder.Combine("runs");
        await using var app = await StartAsync(
            fixture, folder,
            $"echo \"$1|$RENEWED_DOMAINS|$RENEWED_LINEAGE|$ACME_CERTIFICATE_ID|${{SECRET_OF_THE_APP:-none}}\" >> {runs}\n"
            + $"openssl version >/dev/null 2>&1; echo said; test -s \"$RENEWED_LINEAGE/privkey.pem\"");

        await WhenLoggedAsync(app, "ExportHookRan", 1);
        Assert.Equal($"--quiet; rm -rf|{Name}|{folder.Combine("live", Name)}|{Name}|none\n", await File.ReadAllTextAsync(runs, Cancelled));
        await app.Certificates.RenewAsync(Name, Cancelled);
        await WhenLoggedAsync(app, "ExportHookRan", 2);

        Assert.Equal(2, (await File.ReadAllLinesAsync(runs, Cancelled)).Length);
        Assert.Contains(app.Log.Lines, l => l.Event.Name == "ExportHookRan" && l.Message.EndsWith("said", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Export_ProgramFailsOrHangs_IsLoggedAndDelaysNothing()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The program is a shell script.");
        await using var fixture = await LocalFixture.StartAsync();
        using var folder = new TemporaryFolder();
        var first = folder.Combine("first");
        await using var app = await StartAsync(
            fixture, folder, $"if [ ! -e {first} ]; then touch {first}; echo broken >&2; exit 3; fi\nsleep 600", "00:00:03");
        await WhenLoggedAsync(app, "ExportHookFailed", 1);

        // The second run hangs, and neither of these renewals waits for it.
        await app.Certificates.RenewAsync(Name, Cancelled);
        await app.Certificates.RenewAsync(Name, Cancelled);
        await WhenLoggedAsync(app, "ExportHookFailed", 2);

        var failures = app.Log.Lines.Where(l => l.Event.Name == "ExportHookFailed").Select(l => l.Message).ToList();
        Assert.Contains("exited with code 3: broken", failures[0], StringComparison.Ordinal);
        Assert.Contains("did not exit within 3 s", failures[1], StringComparison.Ordinal);
        Assert.Equal(3, fixture.Authority.Issued.Count);
    }

    [Fact]
    public async Task Export_ProgramWritesMegabytesAndLeavesAChild_IsLoggedInOneShortLine()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The program is a shell script.");
        await using var fixture = await LocalFixture.StartAsync();
        using var folder = new TemporaryFolder();
        await using var app = await StartAsync(
            fixture, folder,
            $"sleep 30 & echo $! > {folder.Combine("child")}\nhead -c 5000000 /dev/zero | tr '\\0' 'x'\n"
            + "head -c 5000000 /dev/zero | tr '\\0' '\\377' >&2\nprintf ' the end' >&2; exit 1");

        await WhenLoggedAsync(app, "ExportHookFailed", 1);
        var child = (await File.ReadAllTextAsync(folder.Combine("child"), Cancelled)).Trim();
        using (var kill = System.Diagnostics.Process.Start("kill", child))
        {
            await kill.WaitForExitAsync(Cancelled);
        }

        var failure = Assert.Single(app.Log.Lines, l => l.Event.Name == "ExportHookFailed").Message;
        Assert.EndsWith("the end", failure, StringComparison.Ordinal);
        Assert.InRange(failure.Length, 50, 1000);
        Assert.DoesNotContain(failure, char.IsControl);
    }

    private static async Task<AcmeApp> StartAsync(LocalFixture fixture, TemporaryFolder folder, string script, string timeout = "00:01:00")
    {
        var program = folder.Write("hook", $"#!/bin/sh\n{script}\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        var settings = fixture.Settings(Name);
        settings["AcmeHttps:ExportPath"] = folder.Combine("live");
        settings["AcmeHttps:ExportHook:Program"] = program;
        settings["AcmeHttps:ExportHook:Arguments:0"] = "--quiet; rm -rf";
        settings["AcmeHttps:ExportHook:Timeout"] = timeout;
        var app = await fixture.StartAppAsync(settings, configure: QuickIssuance.Apply);
        await app.ObtainedAsync(Name);
        return app;
    }

    private static Task WhenLoggedAsync(AcmeApp app, string eventName, int count)
        => Poll.UntilAsync(
            () => app.Log.Lines.Count(l => l.Event.Name == eventName) >= count,
            () => $"{eventName}\n{app.Log}",
            cancellationToken: Cancelled);
}
