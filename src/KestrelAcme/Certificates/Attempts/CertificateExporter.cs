using System.Collections.Concurrent;
using System.Security.Cryptography;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage.Export;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Attempts;

/// <summary>
/// Exports certificates for other programs if the configuration asks for it, one after the other and apart from the orders. A failure is
/// logged and changes nothing else. A folder that hangs delays neither a renewal nor the stop.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
/// <param name="configuration">Says where to export.</param>
/// <param name="time">The clock.</param>
/// <param name="loggers">Makes the loggers of failures.</param>
/// <param name="link">As in <see cref="CertificateExport"/>.</param>
internal sealed class CertificateExporter(
    ConfigurationSource configuration, TimeProvider time, ILoggerFactory loggers, Action<string, string>? link = null) : IDisposable
{
    // The caller sees the export finished, unless it takes too long.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly ILogger _logger = loggers.CreateLogger<CertificateExporter>();
    private readonly ConcurrentDictionary<(string Path, ExportAccess Access, ExportPfx? Pfx), CertificateExport> _exports = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Job> _jobs = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();
    private ExportHookRunner? _hook;
    private bool _running;
    private volatile bool _hangs;

    /// <summary>Exports a certificate, and waits briefly for that.</summary>
    public async Task ExportAsync(string id, CertificateRecord record, CancellationToken cancellationToken)
    {
        if (configuration.Current.ExportPath is null)
        {
            return;
        }

        var done = Enqueue(id, record);
        if (!_hangs)
        {
            try
            {
                await done.WaitAsync(Patience, time, cancellationToken);
            }
            catch (TimeoutException)
            {
                // It continues in the background.
            }
        }
    }

    public void Dispose()
    {
        _hook?.Dispose();
        foreach (var export in _exports.Values)
        {
            export.Dispose();
        }
    }

    // A certificate that is already queued is exported in its new form.
    private Task Enqueue(string id, CertificateRecord record)
    {
        lock (_gate)
        {
            if (!_jobs.TryGetValue(id, out var job))
            {
                _jobs[id] = job = new Job();
                _order.Enqueue(id);
            }

            job.Record = record;
            if (!_running)
            {
                _running = true;
                _ = Task.Run(RunAsync, CancellationToken.None);
            }

            return job.Done.Task;
        }
    }

    private async Task RunAsync()
    {
        while (true)
        {
            string? id;
            Job? job;
            lock (_gate)
            {
                if (!_order.TryDequeue(out id) || !_jobs.Remove(id, out job))
                {
                    _running = false;
                    return;
                }
            }

            await ExportAsync(id, job.Record!);
            job.Done.SetResult();
        }
    }

    // Never throws. Waits for an export that hangs, because nothing else could be written there either; meanwhile the other exports wait in
    // the queue.
    private async Task ExportAsync(string id, CertificateRecord record)
    {
        var current = configuration.Current;
        if (current.ExportPath is not { } path)
        {
            return;
        }

        try
        {
            var export = _exports.GetOrAdd(
                (path, new ExportAccess(current.ExportFileMode, current.ExportGroup), current.ExportPfx),
                k => new CertificateExport(
                    k.Path, time, loggers.CreateLogger<CertificateExport>(), k.Access, link, k.Pfx?.Password));
            var key = PemEncoding.WriteString(PemDocument.PrivateKeyLabel, record.PrivateKey.Span) + "\n";
            var writing = export.UpdateAsync(id, ChainPem(record), key, CancellationToken.None).AsTask();
            try
            {
                await writing.WaitAsync(Limit, time);
            }
            catch (TimeoutException)
            {
                _hangs = true;
                var reason = $"it did not end within {Limit.TotalSeconds:0} s. Check the disk or share of ExportPath.";
                _logger.ExportFailed(id, path, reason);
                await writing;
            }

            if (await writing is { } folder && current.ExportHook is not null)
            {
                _hook ??= new ExportHookRunner(configuration, time, loggers.CreateLogger<ExportHookRunner>());
                _hook.Exported(id, folder, record.Metadata.Names);
            }
        }
        catch (ObjectDisposedException)
        {
            // The host has stopped; the next start exports what is missing.
        }
        catch (Exception exception)
        {
            _logger.ExportFailed(id, path, exception.Message);
        }
        finally
        {
            _hangs = false;
        }
    }

    private static string ChainPem(CertificateRecord record)
        => string.Concat(record.Chain.Select(c => PemEncoding.WriteString(PemDocument.CertificateLabel, c.Span) + "\n"));

    private sealed class Job
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public CertificateRecord? Record { get; set; }
    }
}
