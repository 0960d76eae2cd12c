using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Binding;
using KestrelAcme.Configuration.Snapshot;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
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
        using var host = Host(services => services.AddAcmeHttpsConfiguration().Configure<AcmeHttpsOptions>(options => options.DomainNames = ["code.example.com"]));

        Assert.Equal(["code.example.com"], Names(host));
    }

    [Fact]
    public void Current_SetInCodeBeforeTheCall_CodeWins()
    {
        using var host = Host(services => services.Configure<AcmeHttpsOptions>(options => options.DomainNames = ["code.example.com"]).AddAcmeHttpsConfiguration());

        Assert.Equal(["code.example.com"], Names(host));
    }

    [Fact]
    public void Current_AddedInCodeAndTwoCalls_CodeStandsBetweenThem()
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

        var e = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(TestContext.Current.CancellationToken));

        Assert.Equal(3, e.Failures.Count());
        Assert.Equal(3, e.Message.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries).Count(line => line.StartsWith("  AcmeHttps:", StringComparison.Ordinal)));
        Assert.Contains("AcmeHttps:DomainNames:0 = 'http://a.example.com': is a URL, not a domain name. Write 'a.example.com'.", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Current_Invalid_ThrowsTheSame()
    {
        using var host = Host(services => services.AddAcmeHttpsConfiguration().Configure<AcmeHttpsOptions>(options => options.DomainNames = ["a b"]));

        Assert.Throws<OptionsValidationException>(() => Names(host));
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

        var failures = new AcmeHttpsOptionsValidator(TestFacts.Development, NullLogger<AcmeHttpsOptionsValidator>.Instance).Validate(null, options).Failures!.ToList();

        Assert.Equal(101, failures.Count);
        Assert.EndsWith("And 4900 more.", failures[^1], StringComparison.Ordinal);
    }

    private static IHost Host(Action<IServiceCollection> add)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { EnvironmentName = "Production" });
        builder.Configuration.Sources.Add(new ChangingConfiguration(("DomainNames:0", "example.com"), ("AcceptTermsOfService", "true")));
        add(builder.Services);
        return builder.Build();
    }

    private static IEnumerable<string> Names(IHost host) => host.Services.GetRequiredService<ConfigurationSource>().Current.Certificates.Select(certificate => certificate.Id);
}
