using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Binding;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Configuration;

public sealed class ConfigurationReloaderTests : IAsyncLifetime
{
    private static readonly (string, string?)[] Good = [
        ("DomainNames:0", "example.com"), ("AcceptTermsOfService", "true"), ("StoragePath", "/data")];

    private readonly ChangingConfiguration _configuration = new(Good);
    private readonly FakeTimeProvider _time = new();
    private readonly LogRecorder _log = new();
    private readonly List<ConfigurationSnapshot> _seen = [];
    private IHost _host = null!;
    private int _builds;
    private bool _appThrows;

    // The log events of the configuration.
    private string[] Logged => [.. _log.Lines.Where(line => line.Event.Id is >= 1500 and < 1600).Select(line => line.Event.Name!)];

    private ConfigurationSource Source => _host.Services.GetRequiredService<ConfigurationSource>();

    public async ValueTask InitializeAsync()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { EnvironmentName = "Production" });
        builder.Configuration.Sources.Add(_configuration);
        builder.Logging.AddProvider(_log);
        builder.Services.AddSingleton<TimeProvider>(_time);
        builder.Services.AddAcmeHttpsConfiguration().Configure<AcmeHttpsOptions>(_ =>
        {
            _builds++;
            if (_appThrows)
            {
                throw new InvalidOperationException("the app's own fault");
            }
        });
        _host = builder.Build();
        await _host.StartAsync(TestContext.Current.CancellationToken);
        Source.OnChange(_seen.Add);
        _builds = 0;
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync(TestContext.Current.CancellationToken);
        _host.Dispose();
    }

    [Fact]
    public void Change_Valid_UsedAfterTheQuietTime()
    {
        _configuration.Change([.. Good, ("DomainNames:1", "www.example.com")]);
        Assert.Empty(_seen);

        _time.Advance(ConfigurationReloader.Quiet);

        Assert.Equal(["example.com", "www.example.com"], Assert.Single(_seen).Certificates.Select(certificate => certificate.Id));
        Assert.Same(_seen[0], Source.Current);
        Assert.Equal(["ConfigurationReloaded"], Logged);
    }

    [Fact]
    public void Change_Burst_OneReload()
    {
        for (var i = 0; i < 10; i++)
        {
            _configuration.Change([.. Good, ("DomainNames:1", $"n{i}.example.com")]);
            _time.Advance(ConfigurationReloader.Quiet / 2);
        }

        _time.Advance(ConfigurationReloader.Quiet);

        Assert.Equal(1, _builds);
        Assert.Equal("n9.example.com", Assert.Single(_seen).Certificates[1].Id);
    }

    [Fact]
    public void Change_AfterABurst_ReloadsAgain()
    {
        Reload([.. Good, ("DomainNames:1", "a.example.com")]);
        Reload([.. Good, ("DomainNames:1", "b.example.com")]);

        Assert.Equal(2, _seen.Count);
    }

    [Fact]
    public void Change_SameValues_ListenersNotCalled()
    {
        Reload(Good);

        Assert.Equal(1, _builds);
        Assert.Empty(_seen);
        Assert.Empty(Logged);
    }

    [Fact]
    public void Change_Invalid_KeepsTheLastValidAndReportsAllProblems()
    {
        var before = Source.Current;

        Reload([.. Good, ("DomainNames:1", "a b"), ("SelfCheck", "maybe")]);

        Assert.Same(before, Source.Current);
        Assert.Empty(_seen);
        var rejected = _log.Lines.Single(line => line.Event.Name == "ConfigurationReloadRejected");
        Assert.Equal(LogLevel.Error, rejected.Level);
        Assert.Contains("AcmeHttps:DomainNames:1 = 'a b'", rejected.Message, StringComparison.Ordinal);
        Assert.Contains("AcmeHttps:SelfCheck = 'maybe'", rejected.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Change_ValidAfterInvalid_Used()
    {
        Reload([.. Good, ("DomainNames:1", "a b")]);
        Reload([.. Good, ("DomainNames:1", "a.example.com")]);

        Assert.Equal(2, Assert.Single(_seen).Certificates.Count);
    }

    [Fact]
    public void Change_NamesAFileThatComesLater_ReportedOnceAndUsedWhenItIsThere()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Combine("hmac");
        Reload([.. Good, ("ExternalAccountBinding:KeyId", "one"), ("ExternalAccountBinding:HmacKeyFile", file)]);
        LookAgain();
        LookAgain();
        Assert.Equal(["ConfigurationReloadRejected"], Logged);

        File.WriteAllText(file, "c2VjcmV0");
        LookAgain();

        Assert.NotNull(Source.Current.Authorities[0].ExternalAccountBinding);
        Assert.Equal(["ConfigurationReloadRejected", "ConfigurationReloaded"], Logged);
        var builds = _builds;
        LookAgain();
        Assert.Equal(builds, _builds);

        void LookAgain()
        {
            _time.Advance(TimeSpan.FromMinutes(1));
            _time.Advance(ConfigurationReloader.Quiet);
        }
    }

    [Fact]
    public void Change_CodeOfTheAppThrows_KeepsTheLastValid()
    {
        var before = Source.Current;
        _appThrows = true;

        Reload([.. Good, ("DomainNames:1", "a.example.com")]);

        Assert.Same(before, Source.Current);
        Assert.Equal(["ConfigurationReloadFailed"], Logged);
    }

    [Fact]
    public void Change_StoragePath_IgnoredUntilRestartAndOtherChangesApply()
    {
        Reload(
            ("DomainNames:0", "example.org"),
            ("AcceptTermsOfService", "true"),
            ("StoragePath", "/elsewhere"),
            ("SessionCacheCertificates", "1"));

        Assert.Equal(
            ("/data", 256, "example.org"),
            (Source.Current.StoragePath, Source.Current.SessionCacheCertificates, Source.Current.Certificates[0].Id));
        Assert.Equal(["SettingIgnoredUntilRestart", "SettingIgnoredUntilRestart", "ConfigurationReloaded"], Logged);
    }

    [Fact]
    public void Change_Enabled_IgnoredUntilRestart()
    {
        Reload([.. Good, ("Enabled", "false")]);

        Assert.True(Source.Current.Enabled);
        Assert.Equal(["SettingIgnoredUntilRestart"], Logged);
    }

    [Fact]
    public void Change_Repeated_AppliedAfterAMinute()
    {
        for (var i = 0; i < 30; i++)
        {
            _configuration.Change([.. Good, ("DomainNames:1", $"n{i}.example.com")]);
            _time.Advance(ConfigurationReloader.Quiet / 2);
        }

        Assert.Equal(1, _builds);
    }

    [Fact]
    public void Change_AuthorityMissing_KeptAndLoggedOnce()
    {
        Reload([.. Good, ("DirectoryUrl", "https://localhost:14000/dir")]);
        var authority = Assert.Single(Source.Current.Authorities);

        Reload([.. Good, ("DomainNames:1", "a.example.com")]);
        Reload([.. Good, ("DomainNames:1", "b.example.com")]);

        Assert.Equal(authority, Assert.Single(Source.Current.Authorities));
        Assert.Equal(["example.com", "b.example.com"], Source.Current.Certificates.Select(certificate => certificate.Id));
        Assert.Single(Logged, name => name == "ConfigurationKeysKept");
    }

    [Fact]
    public void Change_SourceEmptyForAMoment_AuthorityStays()
    {
        Reload([.. Good, ("DirectoryUrl", "https://localhost:14000/dir")]);
        _seen.Clear();

        Reload();
        Assert.Empty(_seen);
        Reload([.. Good, ("DirectoryUrl", "https://localhost:14000/dir")]);

        Assert.Empty(_seen);
        Assert.Equal(["ConfigurationReloaded", "ConfigurationSourceLost", "ConfigurationSourceBack"], Logged);
    }

    [Fact]
    public void Change_AnotherAuthority_UsedAndLogged()
    {
        Reload([.. Good, ("DirectoryUrl", "https://localhost:14000/dir")]);
        Reload([.. Good, ("DirectoryUrl", "LetsEncrypt")]);

        Assert.Equal("LetsEncrypt", Assert.Single(Source.Current.Authorities).DisplayName);
        Assert.Contains(
            _log.Lines,
            line => line.Event.Name == "ConfigurationReloaded"
                && line.Message.Contains("https://localhost:14000/dir", StringComparison.Ordinal));
        Assert.Contains(
            _log.Lines,
            line => line.Event.Name == "ConfigurationReloaded" && line.Message.Contains("from LetsEncrypt", StringComparison.Ordinal));
    }

    [Fact]
    public void Timer_SourceEmptiedWithoutASignal_LoggedOnce()
    {
        _configuration.Empty();

        _time.Advance(TimeSpan.FromMinutes(1));
        _time.Advance(ConfigurationReloader.Quiet);
        _time.Advance(TimeSpan.FromMinutes(5));

        Assert.Equal(["ConfigurationSourceLost"], Logged);
        Assert.Single(Source.Current.Certificates);
    }

    [Fact]
    public void Change_NoNames_KeepsTheLastValid()
    {
        Reload(("AcceptTermsOfService", "true"), ("StoragePath", "/data"), ("DomainNames:0", ""));

        Assert.Single(Source.Current.Certificates);
        Assert.Equal(["ConfigurationKeysKept"], Logged);
        Assert.DoesNotContain("ConfigurationReloaded", Logged);
    }

    [Fact]
    public async Task Change_WhileOtherServicesStart_UsedAfterTheQuietTime()
    {
        var configuration = new ChangingConfiguration(Good);
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { EnvironmentName = "Production" });
        builder.Configuration.Sources.Add(configuration);
        builder.Services.AddSingleton<TimeProvider>(_time);
        builder.Services.AddHostedService(_ => new Migration(() => configuration.Change([.. Good, ("DomainNames:1", "a.example.com")])));
        builder.Services.AddAcmeHttpsConfiguration();
        using var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);

        _time.Advance(ConfigurationReloader.Quiet);

        Assert.Equal(2, host.Services.GetRequiredService<ConfigurationSource>().Current.Certificates.Count);
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public void Change_ListenerThrows_OthersAreCalled()
    {
        var source = Source;
        var told = 0;
        using var first = source.OnChange(_ => throw new InvalidOperationException());
        using var second = source.OnChange(_ => told++);

        Reload([.. Good, ("DomainNames:1", "a.example.com")]);

        Assert.Equal(1, told);
        Assert.Contains("ConfigurationListenerFailed", Logged);
    }

    [Fact]
    public void OnChange_Disposed_NotCalled()
    {
        var told = 0;
        var subscription = Source.OnChange(_ => told++);
        subscription.Dispose();
        subscription.Dispose();

        Reload([.. Good, ("DomainNames:1", "a.example.com")]);

        Assert.Equal(0, told);
        Assert.Single(_seen);
    }

    [Fact]
    public async Task Change_AfterStop_DoesNothing()
    {
        await _host.StopAsync(TestContext.Current.CancellationToken);

        Reload([.. Good, ("DomainNames:1", "a.example.com")]);

        Assert.Equal(0, _builds);
        Assert.Equal(0, _time.ArmedTimers);
    }

    private void Reload(params (string, string?)[] values)
    {
        _configuration.Change(values);
        _time.Advance(ConfigurationReloader.Quiet);
    }

    /// <summary>Work of the app that the host waits for.</summary>
    private sealed class Migration(Action work) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            work();
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
