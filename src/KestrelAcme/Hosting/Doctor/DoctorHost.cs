using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Engine;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Stored;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KestrelAcme.Hosting.Doctor;

/// <summary>
/// Runs the doctor in the place of the app: only the server is started, not the app's background services, and nothing is ordered.
/// </summary>
internal sealed class DoctorHost(IServiceProvider services, HostedServices hosted, IHostApplicationLifetime lifetime, TimeProvider time)
    : IHostedService
{
    // For the requests of clients that took the doctor for the app.
    private static readonly TimeSpan StoppingTime = TimeSpan.FromSeconds(2);

    /// <summary>Prints the report, sets the exit code of the process, and stops the host.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var report = await RunAsync(cancellationToken);
        await Console.Out.WriteAsync(report.ToString());
        await Console.Out.FlushAsync(CancellationToken.None);
        Environment.ExitCode = ExitCode(report);
        lifetime.StopApplication();
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Returns 1 if something is wrong.</summary>
    public static int ExitCode(DiagnosisReport report) => report.Errors > 0 ? 1 : 0;

    /// <summary>Examines everything.</summary>
    public async Task<DiagnosisReport> RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await ExamineAsync(cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            // A storage or a provider of the app may fail when it is created.
            var reason = QuotedText.Words(exception.GetBaseException().Message, QuotedText.MaxReplyLength);
            return Report([DiagnosisFinding.Error(
                HostVerdicts.Options, null, $"The services of automatic HTTPS cannot be created: {reason}",
                "Correct the settings that the message names; the app does not start with them, either.")]);
        }
    }

    private async Task<DiagnosisReport> ExamineAsync(CancellationToken cancellationToken)
    {
        if (services.GetRequiredService<ConfigurationSource>().Problems is { Count: > 0 } problems)
        {
            return Report(HostVerdicts.Invalid(problems));
        }

        if (lifetime.ApplicationStarted.IsCancellationRequested)
        {
            return await DiagnoseAsync(cancellationToken);
        }

        var started = new Stack<IHostedService>();
        var gate = services.GetRequiredService<CertificateLoadGate>();
        gate.Imports = false;
        try
        {
            await StartServerAsync(started, cancellationToken);
            await services.GetRequiredService<CertificateEngine>().LoadAsync(cancellationToken);
            return await DiagnoseAsync(cancellationToken);
        }
        finally
        {
            gate.Imports = true;
            await StopAsync(started);
        }
    }

    private DiagnosisReport Report(IEnumerable<DiagnosisFinding> findings) => new() { At = time.GetUtcNow(), Findings = [.. findings] };

    private Task<DiagnosisReport> DiagnoseAsync(CancellationToken cancellationToken)
        => services.GetRequiredService<IDoctor>().DiagnoseAsync(cancellationToken);

    private async Task StartServerAsync(Stack<IHostedService> started, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var service in hosted.CreateServer(services))
            {
                started.Push(service);
                await ((service as IHostedLifecycleService)?.StartingAsync(cancellationToken) ?? Task.CompletedTask);
                await service.StartAsync(cancellationToken);
                await ((service as IHostedLifecycleService)?.StartedAsync(cancellationToken) ?? Task.CompletedTask);
            }
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            services.GetRequiredService<DoctorObstacles>().StartFailure = QuotedText.Words(
                exception.GetBaseException().Message, QuotedText.MaxReplyLength);
        }
    }

    private async Task StopAsync(Stack<IHostedService> started)
    {
        using var limit = new TimeLimit(StoppingTime, time);
        while (started.TryPop(out var service))
        {
            // The report matters, not how the server ends.
            await service.StopAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}

/// <summary>Knows which services the host would start, and creates those that the doctor needs.</summary>
internal sealed class HostedServices(IServiceCollection services)
{
    private const string WebHost = "Microsoft.AspNetCore.Hosting.GenericWebHostService";
    private const string LocalAuthority = "KestrelAcme.LocalAuthority";

    /// <summary>Creates the web server, and a local authority for development if there is one.</summary>
    public IEnumerable<IHostedService> CreateServer(IServiceProvider provider)
    {
        foreach (var descriptor in services.Where(d => d.ServiceType == typeof(IHostedService) && !d.IsKeyedService).ToArray())
        {
            if (descriptor.ImplementationType is { FullName: WebHost } type)
            {
                yield return (IHostedService)ActivatorUtilities.CreateInstance(provider, type);
            }
            else if (descriptor.ImplementationFactory is { } factory
                && factory.Method.DeclaringType?.Assembly.GetName().Name == LocalAuthority)
            {
                yield return (IHostedService)factory(provider);
            }
        }
    }
}
