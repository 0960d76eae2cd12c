using System.Collections.Concurrent;
using System.Security.Cryptography;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage.Export;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Scheduling;

/// <summary>Exports a certificate for other programs, where the configuration asks for it. A failure is reported and changes nothing else.</summary>
internal sealed class CertificateExporter(ConfigurationSource configuration, TimeProvider time, ILoggerFactory loggers) : IDisposable
{
    private readonly ILogger _logger = loggers.CreateLogger<CertificateExporter>();
    private readonly ConcurrentDictionary<string, CertificateExport> _exports = new(StringComparer.Ordinal);

    public async Task ExportAsync(string id, CertificateRecord record, CancellationToken cancellationToken)
    {
        if (configuration.Current.ExportPath is not { } path)
        {
            return;
        }

        try
        {
            var export = _exports.GetOrAdd(path, p => new CertificateExport(p, time, loggers.CreateLogger<CertificateExport>()));
            await export.UpdateAsync(id, ChainPem(record), PemEncoding.WriteString(PemDocument.PrivateKeyLabel, record.PrivateKey.Span) + "\n", cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            _logger.ExportFailed(id, path, exception.Message);
        }
    }

    public void Dispose()
    {
        foreach (var export in _exports.Values)
        {
            export.Dispose();
        }
    }

    private static string ChainPem(CertificateRecord record)
        => string.Concat(record.Chain.Select(c => PemEncoding.WriteString(PemDocument.CertificateLabel, c.Span) + "\n"));
}
