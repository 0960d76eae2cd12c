using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Hosting.Doctor;

/// <summary>
/// Examines the names of a certificate after its first failed order. The failure is stored and reported already, so nothing waits for this.
/// </summary>
internal sealed class FailureFollowUp(
    NamesExaminer names, ConfigurationSource configuration, IHostApplicationLifetime lifetime, TimeProvider time,
    ILogger<FailureFollowUp> logger)
{
    private const int MostNames = 5;
    private const int MostHints = 5;

    // If many names fail at once, a few of them are examined.
    private readonly SemaphoreSlim _places = new(2);

    public async Task RunAsync(ManagedCertificate certificate, FailureRecord failure)
    {
        var stopping = lifetime.ApplicationStopping;
        if (!await _places.WaitAsync(TimeSpan.Zero, stopping))
        {
            return;
        }

        try
        {
            using var limit = new TimeLimit(Checks.LongestCheck, time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(stopping, limit.Token);
            var hints = await FindHintsAsync(certificate.Specification, both.Token);
            if (hints.Count > 0)
            {
                logger.FailureExamined(certificate.Id, Quoted.Lines(hints));
                certificate.Hints = new FailureHints(failure.At, string.Join(' ', hints));
            }
        }
        catch (OperationCanceledException)
        {
            // Nothing was found out in time.
        }
        finally
        {
            _places.Release();
        }
    }

    private async Task<IReadOnlyList<string>> FindHintsAsync(CertificateSpecification specification, CancellationToken cancellationToken)
    {
        var some = specification.Identifiers.Take(MostNames).Select(i => new NameToExamine(i, specification.ChallengeTypes)).ToList();
        await using var trial = configuration.Current.SelfCheck ? await names.TryAsync(some, cancellationToken) : null;
        var findings = await names.ExamineAsync(some, trial, isTellable: true, isWhole: false, cancellationToken);
        return [.. findings.Where(Checks.IsProblem).Take(MostHints).Select(f => $"{f.Name}: {f.Message} {f.Fix}")];
    }
}
