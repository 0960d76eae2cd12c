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

/// <summary>One application that serves a certificate for each fault of a group, so that no fault sees what another left behind.</summary>
public sealed class FaultMatrixFixture<TGroup> : IAsyncLifetime
    where TGroup : IFaultGroup
{
    internal LocalFixture Local { get; private set; } = null!;

    internal AcmeApp App { get; private set; } = null!;

    /// <summary>A name of no case.</summary>
    internal static string LastName => "last.test";

    internal static string NameOf(FaultCase fault)
        => string.Create(CultureInfo.InvariantCulture, $"case{FaultCases.All.ToList().IndexOf(fault)}.test");

    public async ValueTask InitializeAsync()
    {
        Local = await LocalFixture.StartAsync();
        var names = FaultGroups.Of<TGroup>().Select(NameOf).Append(LastName).ToArray();
        var settings = TGroup.Hangs ? FaultMatrixSettings.Hanging
            : TGroup.Polls ? FaultMatrixSettings.Answering with { Polling = FaultMatrixSettings.Polling(TimeSpan.FromSeconds(2)) }
            : FaultMatrixSettings.Answering;
        App = await Local.StartAppAsync(Local.Settings(names), configure: builder => builder.Services.AddSingleton(settings));
        foreach (var name in names)
        {
            await FaultMatrixSettings.ObtainedAsync(App, name, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Ends the fault, and what it means for the other names: the authority is asked again at once.</summary>
    internal void Clear()
    {
        Local.Authority.Faults.Clear();
        FaultMatrixSettings.ForgetOutage(App);
    }

    public async ValueTask DisposeAsync()
    {
        await App.DisposeAsync();
        await Local.DisposeAsync();
    }
}

/// <summary>
/// The engine's times for faults: requests are repeated as often as ever, only sooner; what failed is not tried again during the test.
/// </summary>
internal static class FaultMatrixSettings
{
    /// <summary>For faults that an answer tells: on a busy machine it may take its time.</summary>
    public static IssuanceSettings Answering { get; } = new()
    {
        Retries = new RetrySchedule(
            [TimeSpan.FromHours(1)], TimeSpan.FromHours(1), TimeSpan.FromHours(1), TimeSpan.FromHours(1), TimeSpan.FromHours(1), 0.1),
        RequestRetries = new AcmeRetryOptions
        {
            MaxAttempts = 3,
            BaseDelay = TimeSpan.FromMilliseconds(1),
            MaxDelay = TimeSpan.FromMilliseconds(5),
        },
        DownloadPauses = [TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(5)],
        RequestTimeout = TimeSpan.FromMinutes(1),
        Polling = Polling(TimeSpan.FromMinutes(1)),
    };

    /// <summary>For faults that a timeout alone ends.</summary>
    public static IssuanceSettings Hanging { get; } = Answering with
    {
        RequestTimeout = TimeSpan.FromMilliseconds(700),
        Polling = Polling(TimeSpan.FromMilliseconds(700)),
    };

    public static AcmePollingOptions Polling(TimeSpan timeout)
        => new() { InitialDelay = TimeSpan.FromMilliseconds(5), MaxDelay = TimeSpan.FromMilliseconds(50), Timeout = timeout };

    /// <summary>
    /// Waits until <paramref name="name"/> has its first certificate. With short timeouts a first attempt may miss them on a busy machine,
    /// and the authority then counts as unreachable for the names that were not tried yet, too.
    /// </summary>
    public static Task ObtainedAsync(AcmeApp app, string name, CancellationToken cancellationToken) => Poll.UntilAsync(
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
    public static void ForgetOutage(AcmeApp app)
    {
        var specification = app.Services.GetRequiredService<ConfigurationSource>().Current.Authorities[0];
        var authority = app.Services.GetRequiredService<AuthorityRegistry>().Get(specification);
        authority.Health.Succeeded();
        authority.Health.Accepted(DateTimeOffset.MinValue);
        authority.Blocks.Forget();
    }
}
