using System.Globalization;
using KestrelAcme.Certificates.Engine;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace KestrelAcme.Hosting;

/// <summary>
/// Reports the managed certificates and the store, from what the engine saw last: nothing is read, so a store that hangs cannot hang a
/// probe.
/// </summary>
internal sealed class CertificateHealthCheck(
    CertificateOverview overview,
    CertificateEngine engine,
    BoundedStorage storage,
    EndpointReport endpoints,
    ConfigurationSource configuration) : IHealthCheck
{
    /// <summary>More certificates are only counted: the data is kept small enough to be logged or sent.</summary>
    public const int MostListed = 100;

    // The description names as many of the certificates that need attention.
    private const int MostNamed = 3;

    // Names of a certificate; a CA may allow thousands.
    private const int MostNames = 20;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        => Task.FromResult(Check(context.Registration.FailureStatus));

    private HealthCheckResult Check(HealthStatus failureStatus)
    {
        if (!configuration.Current.Enabled || !endpoints.KestrelIsUsed)
        {
            return HealthCheckResult.Healthy("Automatic HTTPS is not in use: AcmeHttps:Enabled is false, or the server is not Kestrel.");
        }

        // Those that need attention come first. Ten thousand healthy ones are neither sorted nor kept.
        List<CertificateCondition> problems = [], others = [];
        var count = 0;
        foreach (var condition in overview.Look())
        {
            count++;
            var list = condition.Problems == CertificateProblems.None ? others : problems;
            if (list == problems || list.Count < MostListed)
            {
                list.Add(condition);
            }
        }

        problems.Sort(static (a, b) => string.CompareOrdinal(a.Certificate.Id, b.Certificate.Id));
        var listed = problems.Concat(others).Take(MostListed).ToList();
        var faults = Faults(problems, count).ToList();
        var data = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["certificates"] = listed.ToDictionary(c => c.Certificate.Id, object (c) => Describe(c), StringComparer.Ordinal),
            ["notListed"] = count - listed.Count,
            ["storage"] = storage.Monitor.Fault is { } fault ? Describe(fault) : "available",
        };
        return faults.Count == 0
            ? HealthCheckResult.Healthy(count == 1 ? "The certificate is fine." : $"All {count} certificates are fine.", data)
            : new HealthCheckResult(failureStatus, string.Join(' ', faults), exception: null, data);
    }

    private IEnumerable<string> Faults(List<CertificateCondition> problems, int count)
    {
        if (engine.HasFailed)
        {
            yield return "The certificate engine ended because of an unexpected error, and nothing is renewed. Restart the app.";
        }

        if (overview.Obstacle is { } obstacle && problems.Count > 0)
        {
            yield return obstacle;
        }

        if (storage.Monitor.Fault is { } fault)
        {
            yield return $"The store is {Describe(fault)}";
        }

        if (problems.Count > 0)
        {
            var named = problems.Take(MostNamed).Select(c => $"{c.Certificate.Id} ({CertificateHealthPolicy.Describe(c.Problems)})");
            var more = problems.Count > MostNamed ? $", and {problems.Count - MostNamed} more" : "";
            yield return $"{problems.Count} of {count} certificates need attention: {string.Join(", ", named)}{more}.";
        }
    }

    private static Dictionary<string, object> Describe(CertificateCondition condition)
    {
        var certificate = condition.Certificate;
        var described = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["names"] = certificate.Specification.Identifiers.Take(MostNames).Select(i => i.Value).ToArray(),
            ["state"] = condition.State.ToString(),
        };
        if (certificate.Current is { } current)
        {
            described["expires"] = current.NotAfter;
        }

        if (condition.Problems != CertificateProblems.None)
        {
            var words = CertificateHealthPolicy.Describe(condition.Problems);
            var failure = (certificate.Blocked?.Invoke()?.ToFailure(0) ?? certificate.Failure)?.ToPublic(certificate.Hints).Message;
            described["problem"] = failure is null ? words
                : $"{words}: {QuotedText.Words(failure, QuotedText.MaxReplyLength)}";
        }

        return described;
    }

    private static string Describe(StorageFault fault)
        => string.Create(CultureInfo.InvariantCulture, $"unavailable since {fault.Since:u}: {fault.Reason}");
}
