using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Challenges.Dns01.Exec;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Configuration;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01.Contract;

/// <summary>Uses a script that keeps the values of each name in a file.</summary>
public sealed class ExecContractTests : DnsProviderContract
{
    private readonly TemporaryFolder _folder = new();

    // There is no server, and only the script has credentials.
    protected override string ServerText => "hook.sh";

    protected override bool KnowsItsZones => false;

    public override ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public override ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Create_ScriptFails_QuotesItsOutputInOneLine()
    {
        var provider = CreateProvider(Script("echo 'no such zone:' \"$ACME_ZONE\" >&2; echo second line; exit 3"));

        var exception = await Assert.ThrowsAsync<DnsProviderException>(() => provider.CreateTxtAsync(Txt("value"), Cancelled));

        Assert.Equal(DnsProviderFault.Refused, exception.Fault);
        Assert.EndsWith(
            "hook.sh present _acme-challenge.example.test (zone example.test) exited with code 3: second line no such zone: example.test.",
            exception.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_ScriptHangs_IsKilledWithItsChildren()
    {
        var provider = CreateProvider(Script("sleep 300 & wait"), TimeSpan.FromSeconds(1));
        var clock = Stopwatch.StartNew();

        var exception = await Assert.ThrowsAsync<DnsProviderException>(() => provider.CreateTxtAsync(Txt("value"), Cancelled));

        Assert.Contains("did not exit within 1 s and was killed", exception.Message, StringComparison.Ordinal);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(120));
    }

    [Fact]
    public async Task Create_ValueWithSpecialCharacters_IsPassedUnchanged()
    {
        var provider = CreateProvider(Hook());

        await provider.CreateTxtAsync(Txt("$(touch pwned); a b '*'"), Cancelled);

        Assert.Equal(["$(touch pwned); a b '*'"], await ValuesAsync());
        Assert.False(File.Exists("pwned"));
    }

    [Fact]
    public async Task Create_MuchOutput_DoesNotBlock()
        => await CreateProvider(Script("head -c 1000000 /dev/zero | tr '\\0' 'x'; exit 0")).CreateTxtAsync(Txt("value"), Cancelled);

    [Fact]
    public async Task Create_ChildHoldsTheOutput_ExitCodeDecides()
    {
        await CreateProvider(Script("sleep 30 & echo done; exit 0"), TimeSpan.FromSeconds(15)).CreateTxtAsync(Txt("value"), Cancelled);
        var failing = CreateProvider(Script("echo 'zone is locked' >&2; sleep 30 & exit 3"), TimeSpan.FromSeconds(15));

        var exception = await Assert.ThrowsAsync<DnsProviderException>(() => failing.CreateTxtAsync(Txt("value"), Cancelled));

        Assert.EndsWith("exited with code 3: zone is locked.", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("exec >&- 2>&-; exit 3", "exited with code 3: it wrote nothing.")]
    [InlineData("setsid sh -c 'sleep 30' & exit 4", "exited with code 4: it wrote nothing.")]
    [InlineData("printf 'a\\0b\\377\\376c\\n'; exit 5", "exited with code 5: a")]
    [InlineData("head -c 10000000 /dev/zero | tr '\\0' x; echo; echo the reason; exit 6", " the reason.")]
    [InlineData("head -c 10000000 /dev/urandom; exit 7", "exited with code 7: ")]
    [InlineData("yes line | head -n 2000000 >&2; echo the reason >&2; exit 8", " the reason.")]
    [InlineData("kill -9 $$", "exited with code 137: it wrote nothing.")]
    [InlineData("trap '' TERM INT HUP; kill -TERM $$; exit 9", "exited with code 9: it wrote nothing.")]
    [InlineData("printf '\\342\\200\\256gnp.exe\\342\\200\\213\\r\\n' >&2; exit 10", "exited with code 10: ")]
    [InlineData("rm \"$0\"; echo gone; exit 11", "exited with code 11: gone.")]
    [InlineData("exec <&-; cat; exit 12", "exited with code 12: ")]
    [InlineData("printf 'no line break'; exit 13", "exited with code 13: no line break.")]
    public async Task Create_OddScriptFails_ReportsItsCodeInPrintableText(string script, string expected)
    {
        var provider = CreateProvider(Script(script), TimeSpan.FromSeconds(50));

        var exception = await Assert.ThrowsAsync<DnsProviderException>(() => provider.CreateTxtAsync(Txt("value"), Cancelled));

        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("did not exit", exception.Message, StringComparison.Ordinal);
        Assert.InRange(exception.Message.Length, 50, 1500);
        Assert.DoesNotContain(exception.Message, c => char.IsControl(c) || c is '\u202e' or '\u200b');
        // Among random bytes there may be a whole character beyond 16 bits, but no half of one.
        Assert.Equal(exception.Message, string.Concat(exception.Message.EnumerateRunes()));
    }

    [Theory]
    [InlineData("exec >&- 2>&-; exit 0")]
    [InlineData("setsid sh -c 'sleep 30' & exit 0")]
    [InlineData("nohup sleep 30 >/dev/null 2>&1 & exit 0")]
    [InlineData("rm \"$0\"; exit 0")]
    public async Task Create_OddScriptSucceeds_Succeeds(string script)
        => await CreateProvider(Script(script), TimeSpan.FromSeconds(20)).CreateTxtAsync(Txt("value"), Cancelled);

    [Fact]
    public async Task Create_ScriptStopsItself_IsKilled()
    {
        var provider = CreateProvider(Script("echo before; kill -STOP $$; exit 0"), TimeSpan.FromSeconds(1));

        var exception = await Assert.ThrowsAsync<DnsProviderException>(() => provider.CreateTxtAsync(Txt("value"), Cancelled));

        Assert.Contains("did not exit within 1 s and was killed", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_FailsAfterMuchOutput_ShowsTheLastWithoutEscapeSequences()
    {
        var provider = CreateProvider(Script(
            """
            i=0; while [ $i -lt 200 ]; do printf '\033[31mline %d \303\244\303\266 error\033[0m\n' $i >&2; i=$((i+1)); done
            echo said; printf '\033]0;title\007\033[1;31mzone is locked\033[0m\033(B\n' >&2; exit 7
            """));

        var exception = await Assert.ThrowsAsync<DnsProviderException>(() => provider.CreateTxtAsync(Txt("value"), Cancelled));

        Assert.Contains("exited with code 7: said …", exception.Message, StringComparison.Ordinal);
        Assert.EndsWith(" line 198 äö error line 199 äö error zone is locked.", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("[", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("title", exception.Message, StringComparison.Ordinal);
        Assert.InRange(exception.Message.Length, 400, 800);
    }

    [Fact]
    public async Task Create_Environment_HoldsNoSecretOfTheApp()
    {
        var names = new[] { "KESTRELACME_TEST_SECRET", "KESTRELACME_TEST_PASSED" };
        Array.ForEach(names, name => Environment.SetEnvironmentVariable(name, "of the app"));
        try
        {
            var program = Script($"env > '{_folder.Combine("env")}'");
            await CreateProvider(
                new ExecOptions { Program = program, EnvironmentVariables = "HTTPS_PROXY_NOT_SET, KESTRELACME_TEST_PASSED" })
                .CreateTxtAsync(Txt("value"), Cancelled);
        }
        finally
        {
            Array.ForEach(names, name => Environment.SetEnvironmentVariable(name, null));
        }

        var environment = await File.ReadAllLinesAsync(_folder.Combine("env"), Cancelled);
        Assert.Contains("ACME_ZONE=example.test", environment);
        Assert.Contains("KESTRELACME_TEST_PASSED=of the app", environment);
        Assert.Contains(environment, line => line.StartsWith("PATH=", StringComparison.Ordinal));
        string[] known =
        [
            "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TMPDIR", "TZ", "ACME_ZONE", "KESTRELACME_TEST_PASSED",
            "PWD", "OLDPWD", "SHLVL", "_",
        ];
        Assert.Empty(
            environment.Select(line => line.Split('=')[0]).Where(name => !name.StartsWith("LC_", StringComparison.Ordinal)).Except(known));
    }

    [Theory]
    [InlineData("_acme-challenge.a`id`.example.test", "example.test")]
    [InlineData("_acme-challenge.a|b.example.test", "example.test")]
    [InlineData("_acme-challenge.bücher.example.test", "example.test")]
    [InlineData("-rf.example.test", "example.test")]
    [InlineData("_acme-challenge.example.test", "example.test;id")]
    public async Task Create_NameWithOtherCharacters_IsNotRun(string name, string zone)
    {
        var provider = CreateProvider(Script($"touch '{_folder.Combine("was-run")}'"));

        var exception = await Assert.ThrowsAsync<DnsProviderException>(
            () => provider.CreateTxtAsync(Txt("value") with { Name = name, Zone = zone }, Cancelled));

        Assert.Contains("was not run", exception.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder.Combine("was-run")));
    }

    [Fact]
    public async Task Create_ScriptReadsInput_GetsEndOfFile()
        => await CreateProvider(Script("read answer || exit 0; exit 1")).CreateTxtAsync(Txt("value"), Cancelled);

    [Theory]
    [InlineData("#!/bin/sh\r\nexit 0\r\n", true, "has Windows line endings (CR LF)", "sed -i 's/\\r$//'")]
    [InlineData("#!/usr/bin/env sh\r\nexit 0\r\n", true, "has Windows line endings (CR LF)", "sed -i 's/\\r$//'")]
    [InlineData("#!/bin/sh\nexit 0\n", false, "is not executable", "chmod +x")]
    [InlineData("exit 0\n", true, "has no '#!' in its first line", "'#!/bin/sh'")]
    [InlineData("", true, "is empty", "Write the program into it")]
    [InlineData("#!/nowhere/\u001b[31m\n", true, "needs the interpreter '/nowhere/\\u001b[31m'", "Install it")]
    [InlineData("\ufeff#!/bin/sh\nexit 0\n", true, "begins with a byte order mark", "UTF-8 without")]
    [InlineData("#!/nowhere/python3\n", true, "needs the interpreter '/nowhere/python3', which does not exist", "Install it")]
    [InlineData("#!/usr/bin/env -S python3-not-installed -u\n", true, "needs the interpreter 'python3-not-installed'", "Install it")]
    public async Task Program_CannotBeStarted_IsNamedAtStartAndWhenRun(string content, bool executable, string reason, string fix)
    {
        var path = Script("exit 0");
        var provider = CreateProvider(path);
        await File.WriteAllTextAsync(path, content, Cancelled);
        if (!executable && !OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        var problem = Assert.Single(TestFacts.Problems(
            options => options.DnsProviders = [new ExecOptions { Program = path }],
            TestFacts.Production with { DnsProviderTypes = [ExecOptions.ProviderType] }));
        Assert.Contains($"Program = '{path}': {reason}", problem, StringComparison.Ordinal);
        Assert.Contains(fix, problem, StringComparison.Ordinal);

        var exception = await Assert.ThrowsAsync<DnsProviderException>(() => provider.CreateTxtAsync(Txt("value"), Cancelled));
        Assert.Equal(DnsProviderFault.SetUpNeeded, exception.Fault);
        Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
        Assert.Contains(fix, exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("#!/bin/sh\nexit 0\n")]
    [InlineData("#! /bin/sh -e\r\n# only where the line is a comment to the shell\n", false)]
    [InlineData("#!/usr/bin/env -S sh -e\nexit 0\n")]
    [InlineData("#!/usr/bin/env -S -u FOO sh\nexit 0\n")]
    [InlineData("#!/usr/bin/env -S FOO=1 sh\nexit 0\n")]
    [InlineData("\u007fELF\u0002\u0001\u0001\u0000\u0000")]
    public async Task FindProblem_Program_TellsOnlyWhatKeepsItFromStarting(string content, bool good = true)
    {
        var path = Script("exit 0");
        await File.WriteAllTextAsync(path, content, Cancelled);

        Assert.Equal(good, ProgramFile.FindProblem(path) is null);
    }

    [Fact]
    public void FindProblem_FileSystemWithoutExecution_IsNamed()
    {
        Assert.SkipUnless(
            OperatingSystem.IsLinux()
                && File.ReadLines("/proc/self/mounts").Any(line => line.Contains(" /dev/shm ") && line.Contains("noexec")),
            "/dev/shm is not mounted with noexec here.");
        var path = Path.Combine("/dev/shm", Path.GetRandomFileName());
        File.Copy(Script("exit 0"), path);
        try
        {
            Assert.Contains("'noexec'", ProgramFile.FindProblem(path)?.Reason, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public async Task Create_OutOfTime_ShowsWhatItWrote()
    {
        var provider = CreateProvider(Script("trap '' TERM INT HUP; echo 'waiting for the lock'; sleep 300"), TimeSpan.FromSeconds(3));

        var exception = await Assert.ThrowsAsync<DnsProviderException>(() => provider.CreateTxtAsync(Txt("value"), Cancelled));

        Assert.EndsWith(
            "did not exit within 3 s and was killed; it wrote: waiting for the lock.", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void EnvironmentVariables_NotNames_IsAProblem()
    {
        var program = Script("exit 0");

        var problem = Assert.Single(TestFacts.Problems(
            options => options.DnsProviders = [new ExecOptions { Program = program, EnvironmentVariables = "AWS_PROFILE=x" }],
            TestFacts.Production with { DnsProviderTypes = [ExecOptions.ProviderType] }));

        Assert.Contains("EnvironmentVariables = 'AWS_PROFILE=x': contains '=': list only names", problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_SocketsOfSystemd_AreNotInherited()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Sockets are handed over by systemd.");
        var pid = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var inherited = Dup((int)socket.Handle);
        try
        {
            var provider = CreateProvider(Script($"[ ! -e /proc/$$/fd/{inherited} ]"));
            await Assert.ThrowsAsync<DnsProviderException>(() => provider.CreateTxtAsync(Txt("value"), Cancelled));
            InheritedSockets.Hide("1", "4096");
            await Assert.ThrowsAsync<DnsProviderException>(() => provider.CreateTxtAsync(Txt("value"), Cancelled));

            InheritedSockets.Hide(pid, (inherited - 2).ToString(CultureInfo.InvariantCulture));

            await provider.CreateTxtAsync(Txt("value"), Cancelled);
        }
        finally
        {
            _ = Close(inherited);
        }
    }

    internal override IDnsProvider? CreateProvider(bool goodCredentials) => goodCredentials ? CreateProvider(Hook()) : null;

    protected override async Task<IReadOnlyList<string>> ValuesAsync()
    {
        var file = _folder.Combine(RecordName);
        return File.Exists(file) ? [.. (await File.ReadAllLinesAsync(file, Cancelled)).Order(StringComparer.Ordinal)] : [];
    }

    private static ExecProvider CreateProvider(string script, TimeSpan? timeout = null)
        => CreateProvider(new ExecOptions { Program = script, Timeout = timeout });

    private static ExecProvider CreateProvider(ExecOptions options)
        => new(ProviderSettings.Of(options, ExecOptions.ProviderType), TimeProvider.System);

    private static DnsTxtRecord Txt(string value) => new()
    {
        Zone = "example.test",
        Name = "_acme-challenge.example.test",
        ChallengeName = "_acme-challenge.example.test",
        Value = value,
    };

    private string Hook() => Script($"""
        cd '{_folder.Path}' || exit 1
        touch "$2"
        grep -vxF -- "$3" "$2" > "$2.new"
        [ "$1" = present ] && printf '%s\n' "$3" >> "$2.new"
        mv "$2.new" "$2"
        """);

    private string Script(string body)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The script is for a Unix shell.");
        var path = _folder.Write("hook.sh", $"#!/bin/sh\n{body}\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        return path;
    }

    [DllImport("libc", EntryPoint = "dup")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Dup(int descriptor);

    [DllImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Close(int descriptor);
}
