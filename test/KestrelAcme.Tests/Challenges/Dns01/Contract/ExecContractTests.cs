using System.Diagnostics;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Challenges.Dns01.Exec;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01.Contract;

/// <summary>With a script that keeps values in a file for each name.</summary>
public sealed class ExecContractTests : DnsProviderContract
{
    private readonly TemporaryFolder _folder = new();

    // No server, and no credentials but the script's own.
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
        Assert.EndsWith("hook.sh present _acme-challenge.example.test (zone example.test) ended with exit code 3: no such zone: example.test second line.", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_ScriptHangs_IsKilledWithItsChildren()
    {
        var provider = CreateProvider(Script("sleep 300 & wait"), TimeSpan.FromSeconds(1));
        var clock = Stopwatch.StartNew();

        var exception = await Assert.ThrowsAsync<DnsProviderException>(() => provider.CreateTxtAsync(Txt("value"), Cancelled));

        Assert.Contains("did not end within 1 s and was killed", exception.Message, StringComparison.Ordinal);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Create_StrangeValue_ReachesTheScriptAsItIs()
    {
        var provider = CreateProvider(Hook());

        await provider.CreateTxtAsync(Txt("$(touch pwned); a b '*'"), Cancelled);

        Assert.Equal(["$(touch pwned); a b '*'"], await ValuesAsync());
        Assert.False(File.Exists("pwned"));
    }

    [Fact]
    public async Task Create_MuchOutput_DoesNotBlock()
        => await CreateProvider(Script("head -c 1000000 /dev/zero | tr '\\0' 'x'; exit 0")).CreateTxtAsync(Txt("value"), Cancelled);

    internal override IDnsProvider? CreateProvider(bool goodCredentials) => goodCredentials ? CreateProvider(Hook()) : null;

    protected override async Task<IReadOnlyList<string>> ValuesAsync()
    {
        var file = _folder.Combine(RecordName);
        return File.Exists(file) ? [.. (await File.ReadAllLinesAsync(file, Cancelled)).Order(StringComparer.Ordinal)] : [];
    }

    private static ExecProvider CreateProvider(string script, TimeSpan? timeout = null)
        => new(ProviderSettings.Of(new ExecOptions { Program = script, Timeout = timeout }, ExecOptions.ProviderType), TimeProvider.System);

    private static DnsTxtRecord Txt(string value) => new() { Zone = "example.test", Name = "_acme-challenge.example.test", ChallengeName = "_acme-challenge.example.test", Value = value };

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
}
