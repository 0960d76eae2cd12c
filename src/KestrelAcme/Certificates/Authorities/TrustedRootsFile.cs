using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Configuration.Rules;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>
/// The file of trusted roots, looked at again at each TLS handshake with the authority: a root that is rolled needs no restart. Safe for
/// concurrent use.
/// </summary>
internal sealed class TrustedRootsFile(string path, ILogger logger)
{
    private readonly Lock _gate = new();
    private X509Certificate2Collection _roots = [];
    private string? _text;
    private string? _fault;

    /// <summary>The roots by the file as it is now; those read before where it is away, or half written.</summary>
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

    // Once for each fault: it is looked at with every connection.
    private void Report(string fault)
    {
        if (fault != _fault)
        {
            _fault = fault;
            logger.TrustedRootsNotRead(path, fault);
        }
    }
}
