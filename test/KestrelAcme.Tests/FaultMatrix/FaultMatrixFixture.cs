using System.Globalization;
using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Protocol;
using KestrelAcme.Testing;
using KestrelAcme.Tests.EndToEnd;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.FaultMatrix;

/// <summary>One application that serves a certificate for each fault, so that no fault sees what another left behind.</summary>
public sealed class FaultMatrixFixture : IAsyncLifetime
{
    /// <summary>Requests are repeated as often as ever, only sooner; whoever failed does not come back during the test.</summary>
    internal static IssuanceSettings Settings { get; } = new()
    {
        Retries = new RetrySchedule([TimeSpan.FromHours(1)], TimeSpan.FromHours(1), TimeSpan.FromHours(1), TimeSpan.FromHours(1), TimeSpan.FromHours(1), 0.1),
        RequestRetries = new AcmeRetryOptions { MaxAttempts = 3, BaseDelay = TimeSpan.FromMilliseconds(1), MaxDelay = TimeSpan.FromMilliseconds(5) },
        DownloadPauses = [TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(5)],
        RequestTimeout = TimeSpan.FromMilliseconds(700),
        Polling = new AcmePollingOptions { InitialDelay = TimeSpan.FromMilliseconds(5), MaxDelay = TimeSpan.FromMilliseconds(50), Timeout = TimeSpan.FromMilliseconds(700) },
    };

    internal LocalFixture Local { get; private set; } = null!;

    internal AcmeApp App { get; private set; } = null!;

    /// <summary>A name of no case.</summary>
    internal static string LastName => "last.test";

    internal static string NameOf(FaultCase fault) => string.Create(CultureInfo.InvariantCulture, $"case{FaultCases.All.ToList().IndexOf(fault)}.test");

    public async ValueTask InitializeAsync()
    {
        Local = await LocalFixture.StartAsync();
        var names = FaultCases.All.Select(NameOf).Append(LastName).ToArray();
        App = await Local.StartAppAsync(Local.Settings(names), configure: builder => builder.Services.AddSingleton(Settings));
        foreach (var name in names)
        {
            await ObtainedAsync(App, name, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Ends the fault, and what it means for the other names: the authority is not left alone any longer.</summary>
    internal void Mend()
    {
        Local.Authority.Faults.Clear();
        ForgetOutage(App);
    }

    /// <summary>
    /// Waits until <paramref name="name"/> has its first certificate. The timeouts of these tests are short: on a busy machine a first attempt may
    /// miss them, and the authority then counts as unreachable for the names that were not tried yet either.
    /// </summary>
    internal static Task ObtainedAsync(AcmeApp app, string name, CancellationToken cancellationToken) => Poll.UntilAsync(
        async _ =>
        {
            ForgetOutage(app);
            return app.Certificates.Find(name)?.State switch
            {
                CertificateState.Valid => true,
                CertificateState.Ordering => false,
                _ => await Record.ExceptionAsync(() => app.Certificates.RenewAsync(name, cancellationToken)) is null,
            };
        },
        $"a certificate for {name}",
        TimeSpan.FromMinutes(3),
        cancellationToken);

    /// <summary>Has the first authority asked again at once.</summary>
    internal static void ForgetOutage(AcmeApp app)
    {
        var specification = app.Services.GetRequiredService<ConfigurationSource>().Current.Authorities[0];
        var authority = app.Services.GetRequiredService<AuthorityRegistry>().Get(specification);
        authority.Health.Succeeded();
        authority.Health.Accepted(DateTimeOffset.MinValue);
        authority.Blocks.Forget();
    }

    public async ValueTask DisposeAsync()
    {
        await App.DisposeAsync();
        await Local.DisposeAsync();
    }
}
