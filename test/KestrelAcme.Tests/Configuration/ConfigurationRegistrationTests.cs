using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Binding;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace KestrelAcme.Tests.Configuration;

public sealed class ConfigurationRegistrationTests
{
    [Fact]
    public void Current_OneCall_ConfigurationBound()
    {
        using var host = Host(services => services.AddAcmeHttpsConfiguration());

        Assert.Equal(["example.com"], Names(host));
    }

    [Fact]
    public void Current_TwoCalls_BoundOnce()
    {
        using var host = Host(services => services.AddAcmeHttpsConfiguration().AddAcmeHttpsConfiguration());

        Assert.Equal(["example.com"], Names(host));
        Assert.Single(host.Services.GetServices<IConfigureOptions<AcmeHttpsOptions>>().OfType<ConfigureAcmeHttpsOptions>());
        Assert.Single(host.Services.GetServices<IHostedService>().OfType<ConfigurationReloader>());
    }

    [Fact]
    public void Current_SetInCodeAfterTheCall_CodeWins()
    {
        using var host = Host(
            services => services.AddAcmeHttpsConfiguration()
                .Configure<AcmeHttpsOptions>(options => options.DomainNames = ["code.example.com"]));

        Assert.Equal(["code.example.com"], Names(host));
    }

    [Fact]
    public void Current_SetInCodeBeforeTheCall_CodeWins()
    {
        using var host = Host(
            services => services.Configure<AcmeHttpsOptions>(options => options.DomainNames = ["code.example.com"])
                .AddAcmeHttpsConfiguration());

        Assert.Equal(["code.example.com"], Names(host));
    }

    [Fact]
    public void Current_AddedInCodeBetweenTwoCalls_Kept()
    {
        using var host = Host(services => services
            .AddAcmeHttpsConfiguration()
            .Configure<AcmeHttpsOptions>(options => options.DomainNames.Add("more.example.com"))
            .AddAcmeHttpsConfiguration());

        Assert.Equal(["example.com", "more.example.com"], Names(host));
    }

    [Fact]
    public async Task StartAsync_Invalid_FailsWithAllProblems()
    {
        using var host = Host(services => services.AddAcmeHttpsConfiguration().Configure<AcmeHttpsOptions>(options =>
        {
            options.DomainNames = ["http://a.example.com", "a b"];
            options.AcceptTermsOfService = false;
        }));

        var e = await Assert.ThrowsAnyAsync<OptionsValidationException>(() => host.StartAsync(TestContext.Current.CancellationToken));

        Assert.Equal(3, e.Failures.Count());
        Assert.Equal(
            3,
            e.Message.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries)
                .Count(line => line.StartsWith("  AcmeHttps:", StringComparison.Ordinal)));
        Assert.Contains(
            "AcmeHttps:DomainNames:0 = 'http://a.example.com': is a URL, not a domain name. Write 'a.example.com'.",
            e.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Current_Invalid_IsDisabledAndTheSourceHasTheProblems()
    {
        using var host = Host(
            services => services.AddAcmeHttpsConfiguration().Configure<AcmeHttpsOptions>(options => options.DomainNames = ["a b"]));
        var source = host.Services.GetRequiredService<ConfigurationSource>();

        Assert.False(source.Current.Enabled);
        Assert.StartsWith("AcmeHttps:DomainNames:0 = 'a b': ", Assert.Single(source.Problems), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task StartAsync_Invalid_ListsTheProblemsOnce(bool logs)
    {
        var log = new LogRecorder();
        using var host = Host(services => services.AddLogging(logging => Add(logging, logs ? log : null)).AddAcmeHttpsConfiguration()
            .Configure<AcmeHttpsOptions>(options => options.DomainNames = ["a b"]));

        var e = await Assert.ThrowsAnyAsync<OptionsValidationException>(() => host.StartAsync(TestContext.Current.CancellationToken));

        string[] printed = [.. log.Lines.Select(line => line.ToString()), e.ToString()];
        Assert.Single(printed, text => text.Contains("AcmeHttps:DomainNames:0 = 'a b': ", StringComparison.Ordinal));
        Assert.All(printed, text => Assert.DoesNotContain("   at ", text, StringComparison.Ordinal));
        Assert.Contains("'a b'", e.Message, StringComparison.Ordinal);

        static void Add(ILoggingBuilder logging, LogRecorder? log) => _ = log is null ? logging : logging.AddProvider(log);
    }

    [Fact]
    public async Task StartAsync_RootsFile_OptionsAreConfiguredAndBuiltOnce()
    {
        var (configured, read) = (0, 0);
        var pem = TestFacts.RootPem();
        using var host = Host(services => services
            .AddSingleton(TestFacts.Production with
            {
                ReadFile = _ =>
                {
                    read++;
                    return pem;
                },
            })
            .AddAcmeHttpsConfiguration()
            .Configure<AcmeHttpsOptions>(options =>
            {
                configured++;
                (options.DirectoryUrl, options.TrustedRootsPath) = ("https://ca.test/dir", "roots.pem");
            }));

        // The host validates the options, the reloader and the first user read the snapshot.
        await host.StartAsync(TestContext.Current.CancellationToken);
        var snapshot = host.Services.GetRequiredService<ConfigurationSource>().Current;

        Assert.Equal("/app/roots.pem", Assert.Single(snapshot.Authorities).TrustedRootsPath);
        Assert.Equal((1, 1), (configured, read));
    }

    [Fact]
    public void Current_NoConfigurationAndNoHost_Defaults()
    {
        using var provider = new ServiceCollection().AddLogging().AddAcmeHttpsConfiguration().BuildServiceProvider();

        Assert.Empty(provider.GetRequiredService<ConfigurationSource>().Current.Certificates);
    }

    [Fact]
    public void Validate_ThousandsOfProblems_Bounded()
    {
        var options = new AcmeHttpsOptions { DomainNames = [.. Enumerable.Range(0, 5_000).Select(i => $"a b {i}")] };

        var failures = new AcmeHttpsOptionsValidator(TestFacts.Development, NullLogger<AcmeHttpsOptionsValidator>.Instance)
            .Validate(null, options).Failures!.ToList();

        Assert.Equal(101, failures.Count);
        Assert.EndsWith("And 4900 more.", failures[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Current_SectionPassed_ReadInsteadOfTheUsualOne()
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(
            new HostApplicationBuilderSettings { EnvironmentName = "Production" });
        var own = new ChangingConfiguration(("DomainNames:0", "usual.example.com"), ("AcceptTermsOfService", "true"));
        builder.Configuration.Sources.Add(own);
        builder.Configuration.AddInMemoryCollection(
            [new("Web:Tls:DomainNames:0", "passed.example.com"), new("Web:Tls:AcceptTermsOfService", "true")]);
        builder.Services.AddAcmeHttps(builder.Configuration.GetSection("Web:Tls"));
        using var host = builder.Build();

        Assert.Equal(["passed.example.com"], Names(host));
        Assert.Equal(
            "settings in memory",
            Assert.Single(host.Services.GetRequiredService<ConfigurationLayers>().Read().Layers, layer => !layer.IsEmpty).Name);
    }

    [Theory]
    [InlineData("")]
    [InlineData("AcmeHttps:")]
    public void Current_ConfigurationOfAnotherRootPassed_ReadFromThere(string prefix)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(
            new HostApplicationBuilderSettings { EnvironmentName = "Production" });
        var other = new ConfigurationBuilder().AddInMemoryCollection(
            [new(prefix + "DomainNames:0", "other.example.com"), new(prefix + "AcceptTermsOfService", "true")]).Build();
        builder.Services.AddAcmeHttps(other);
        using var host = builder.Build();

        Assert.Equal(["other.example.com"], Names(host));
    }

    [Fact]
    public void IsEmptied_SectionPassed_LooksAtTheSection()
    {
        var source = new Dictionary<string, string?> { ["Tls:DomainNames:0"] = "a.example.com" };
        var root = new ConfigurationBuilder().AddInMemoryCollection(source).Build();
        var layer = Assert.Single(ConfigurationLayers.Create(root, root.GetSection("Tls")).Read().Layers);

        Assert.False(layer.IsEmptied());
        root.Providers.Single().Set("Tls:DomainNames:0", "");
        Assert.True(layer.IsEmptied());
    }

    private static IHost Host(Action<IServiceCollection> add)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(
            new HostApplicationBuilderSettings { EnvironmentName = "Production" });
        builder.Configuration.Sources.Add(new ChangingConfiguration(("DomainNames:0", "example.com"), ("AcceptTermsOfService", "true")));
        add(builder.Services);
        return builder.Build();
    }

    private static IEnumerable<string> Names(IHost host)
        => host.Services.GetRequiredService<ConfigurationSource>().Current.Certificates.Select(certificate => certificate.Id);
}
