using System.ComponentModel;
using KestrelAcme.Challenges.Dns01.Exec;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Attempts;

/// <summary>
/// Runs the operator's program after the exported files of a certificate have changed: one run after the other, apart from orders and
/// exports. Several changes of one certificate that wait are one run. A failure is logged, and changes nothing else.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class ExportHookRunner(ConfigurationSource configuration, TimeProvider time, ILogger<ExportHookRunner> logger) : IDisposable
{
    // Compatible with the deploy hooks of certbot.
    private const string Folder = "RENEWED_LINEAGE";
    private const string Names = "RENEWED_DOMAINS";
    private const string Id = "ACME_CERTIFICATE_ID";

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (string Path, IReadOnlyList<string> Names)> _waiting = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stop = new();
    private bool _running;

    /// <summary>Has the program run soon, if there is one.</summary>
    /// <param name="id">The ID of the certificate.</param>
    /// <param name="path">The folder with its files.</param>
    /// <param name="names">Its names.</param>
    public void Exported(string id, string path, IReadOnlyList<string> names)
    {
        if (configuration.Current.ExportHook is null)
        {
            return;
        }

        lock (_gate)
        {
            _waiting[id] = (path, names);
            if (!_running)
            {
                _running = true;
                _ = Task.Run(RunAsync, CancellationToken.None);
            }
        }
    }

    /// <summary>Kills a program that still runs.</summary>
    public void Dispose() => _stop.CancelQuietly();

    private async Task RunAsync()
    {
        while (true)
        {
            string id;
            (string Path, IReadOnlyList<string> Names) export;
            lock (_gate)
            {
                if (_waiting.Count == 0 || _stop.IsCancellationRequested)
                {
                    _running = false;
                    return;
                }

                (id, export) = _waiting.First();
                _waiting.Remove(id);
            }

            if (configuration.Current.ExportHook is { } hook)
            {
                await RunAsync(hook, id, export.Path, export.Names);
            }
        }
    }

    // Never throws.
    private async Task RunAsync(ExportHook hook, string id, string path, IReadOnlyList<string> names)
    {
        var began = time.GetTimestamp();
        try
        {
            var variables = new Dictionary<string, string>
            {
                [Folder] = path, [Names] = string.Join(' ', names), [Id] = id,
            };
            var result = await new HookProcess(hook.Program, hook.Variables, hook.Timeout, time).RunAsync(
                hook.Arguments, variables, _stop.Token);
            if (result.Failure is { } failure)
            {
                var why = result.MayNotHaveRun ? Problem(hook.Program) : null;
                logger.ExportHookFailed(hook.Program, id, why is null ? failure : $"{failure}. It {why}");
            }
            else
            {
                logger.ExportHookRan(hook.Program, id, time.GetElapsedTime(began).TotalSeconds, result.Written);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            logger.ExportHookFailed(hook.Program, id, "was killed, because the host stops");
        }
        catch (Exception exception)
        {
            var why = exception is Win32Exception ? Problem(hook.Program) : null;
            logger.ExportHookFailed(hook.Program, id, $"could not be run: {(why is null ? exception.Message : $"it {why}")}");
        }
    }

    private static string? Problem(string program)
        => ProgramFile.FindProblem(program) is { } problem ? $"{problem.Reason}. {problem.Fix}" : null;
}
