using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Configuration.Rules;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>
/// The file of trusted roots. It is read again at each TLS handshake with the CA, so that a new root needs no restart. Safe for concurrent
/// use.
/// </summary>
internal sealed class TrustedRootsFile(string path, ILogger logger)
{
    private readonly Lock _gate = new();
    private X509Certificate2Collection _roots = [];
    private string? _text;
    private string? _fault;

    /// <summary>Returns the roots in the file; the last ones that were read if the file is missing or incomplete.</summary>
    public X509Certificate2Collection Read()
    {
        lock (_gate)
        {
            try
            {
                Take(EnvironmentFacts.ReadBounded(path));
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
            {
                Report(exception.Message);
            }

            return _roots;
        }
    }

    private void Take(string text)
    {
        if (text == _text)
        {
            return;
        }

        var (roots, problem, fix) = TrustedRootsRules.Parse(text);
        if (problem is not null)
        {
            Report($"It {problem}. {fix}.");
            return;
        }

        var isFirst = _text is null;
        (_roots, _text, _fault) = (roots, text, null);
        if (!isFirst)
        {
            logger.TrustedRootsRead(path, roots.Count);
        }
    }

    // Logged once for each fault, because the file is read with every connection.
    private void Report(string fault)
    {
        if (fault != _fault)
        {
            _fault = fault;
            logger.TrustedRootsNotRead(path, fault);
        }
    }
}
