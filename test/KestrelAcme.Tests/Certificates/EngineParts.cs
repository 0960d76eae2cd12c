using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Tests.EndToEnd;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Certificates;

/// <summary>
/// The services of an application that is not started, with a fake clock, a store in memory and no CA: nothing runs unless a test calls it,
/// and an order ends in a defect.
/// </summary>
internal sealed class EngineParts : IAsyncDisposable
{
    private readonly WebApplication _app;

    public EngineParts(
        string[] names, IAcmeStorage? storage = null, IDomainSource? source = null, Action<IAcmeHttpsBuilder>? acme = null)
    {
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions { EnvironmentName = "Production", Args = ["--hostBuilder:reloadConfigOnChange=false"] });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["AcmeHttps:DirectoryUrl"] = "https://127.0.0.1:1/directory",
            ["AcmeHttps:AcceptTermsOfService"] = "true",
        }.AddNames(names));
        builder.Logging.ClearProviders().AddProvider(Log).SetMinimumLevel(LogLevel.Debug);
        builder.Services.AddSingleton<TimeProvider>(Time);
        builder.Services.AddSingleton(storage ?? new InMemoryStorage(Time));
        builder.Services.AddSingleton<IAuthorityClientFactory>(Clients);
        if (source is not null)
        {
            builder.Services.AddSingleton(source);
        }

        var https = builder.Services.AddAcmeHttps();
        acme?.Invoke(https);
        _app = builder.Build();
        Get<IssuanceStatus>().ReasonNotToOrder = null;
    }

    public FakeTimeProvider Time { get; } = new();

    public LogRecorder Log { get; } = new();

    public NoClients Clients { get; } = new();

    public CertificateCatalog Catalog => Get<CertificateCatalog>();

    public T Get<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    /// <summary>Manages the configured certificates, as read from an empty store.</summary>
    public void Manage()
    {
        var configuration = Get<ConfigurationSource>().Current;
        foreach (var certificate in Catalog.Apply(configuration.Certificates, configuration).Added)
        {
            certificate.IsLoaded = true;
        }
    }

    /// <summary>Gives a managed certificate one of ninety days that was issued a day ago.</summary>
    public CertificateSnapshot Serve(string name)
    {
        var certificate = Catalog.Find(name)!;
        var now = Time.GetUtcNow();
        certificate.Current = Scheduling.SampleCertificates.Snapshot(name, now.AddDays(-1), now.AddDays(89));
        certificate.State = new CertificateStateRecord { State = CertificateState.Valid };
        return certificate.Current;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    internal sealed class NoClients : IAuthorityClientFactory
    {
        public int Asked { get; private set; }

        /// <summary>Makes the client of a CA; <see langword="null"/> if there is none.</summary>
        public Func<AuthoritySpecification, IAuthorityClient>? Make { get; set; }

        public IAuthorityClient Create(AuthoritySpecification specification)
        {
            Asked++;
            return Make?.Invoke(specification) ?? throw new InvalidOperationException("There is no CA here.");
        }
    }
}
