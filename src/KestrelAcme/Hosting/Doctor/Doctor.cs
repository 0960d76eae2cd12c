using System.Security.Cryptography;
using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.DnsClient.Errors;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Hosting.Doctor;

/// <summary>Runs all checks: each within a time limit, those of CAs and names at the same time. None fails.</summary>
internal sealed class Doctor(
    StoreExaminer store,
    AuthorityExaminer authorities,
    ServerExaminer server,
    NamesExaminer names,
    ImportExaminer imports,
    FailureFollowUp followUp,
    ConfigurationSource configuration,
    TimeProvider time) : IDoctor
{
    /// <summary>The number of names that are examined.</summary>
    public const int MostNames = 100;

    public async Task<DiagnosisReport> DiagnoseAsync(CancellationToken cancellationToken)
    {
        var at = time.GetUtcNow();
        var snapshot = configuration.Current;
        var findings = new List<DiagnosisFinding> { HostVerdicts.Settings(snapshot, names.Managed) };
        if (!snapshot.Enabled)
        {
            return new DiagnosisReport { At = at, Findings = findings.AsReadOnly() };
        }

        findings.AddRange(await Checks.RunAsync(HostVerdicts.Storage, null, store.ExamineAsync, time, cancellationToken));
        findings.AddRange(await Checks.RunAsync(
            ImportVerdicts.Import, null, token => Task.Run(() => imports.Examine(token), CancellationToken.None), time, cancellationToken));
        var seen = server.Look();
        findings.AddRange(ServerVerdicts.Endpoints(seen));
        var all = names.List();
        await using var trial = seen.StartFailure is null ? await names.TryAsync(all, cancellationToken) : null;
        if (trial is not null)
        {
            var host = all.First(n => !n.Name.IsWildcard).Name.Value;
            findings.AddRange(await Checks.RunAsync(
                ServerVerdicts.Token, null, token => server.RequestTokenAsync(host, trial, token), time, cancellationToken));
        }

        findings.Add(HostVerdicts.KeyExchange(OpenSslVersion()));
        findings.AddRange(await ExamineAuthoritiesAsync(snapshot, cancellationToken));
        var examined = all.Take(MostNames).ToList();
        var isTellable = seen.NotBound.Count == 0 || trial is { IsShared: true };
        findings.AddRange(await names.ExamineAsync(examined, trial, isTellable, isWhole: true, cancellationToken));
        return new DiagnosisReport { At = at, Findings = findings.AsReadOnly(), NamesNotExamined = all.Count - examined.Count };
    }

    public Task FollowUpAsync(ManagedCertificate certificate, FailureRecord failure) => followUp.RunAsync(certificate, failure);

    private async Task<IReadOnlyList<DiagnosisFinding>> ExamineAuthoritiesAsync(
        ConfigurationSnapshot snapshot, CancellationToken cancellationToken)
    {
        var findings = await Task.WhenAll(snapshot.Authorities.SelectMany(authority => new[]
        {
            Checks.RunAsync(
                HostVerdicts.Directory, authority.DisplayName, token => authorities.ExamineAsync(authority, token), time,
                cancellationToken),
            Checks.RunAsync(
                HostVerdicts.RateLimits, authority.DisplayName, token => authorities.ExaminePaceAsync(authority, token), time,
                cancellationToken),
        }));
        return [.. findings.SelectMany(f => f)];
    }

    private static Version? OpenSslVersion()
    {
        if (OperatingSystem.IsWindows() || OperatingSystem.IsMacOS())
        {
            return null;
        }

        // 0xMNN00PP0 since 3.0.
        var version = SafeEvpPKeyHandle.OpenSslVersion;
        return new Version((int)(version >> 28) & 0xF, (int)(version >> 20) & 0xFF, (int)(version >> 4) & 0xFF);
    }
}

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

/// <summary>Runs a check within its time. What could not be found out is a finding, too.</summary>
internal static class Checks
{
    public static readonly TimeSpan LongestCheck = TimeSpan.FromSeconds(10);

    private const string Again = "Run the doctor again; if it repeats, look up in docs/doctor.md what this check depends on.";
    private const string CheckResolvers = "Check the DNS resolvers of this machine, or set AcmeHttps:DnsResolvers.";

    /// <summary>Runs a check.</summary>
    /// <param name="check">The check.</param>
    /// <param name="name">The name that is examined.</param>
    /// <param name="examine">Examines. It may ignore its token.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Cancels everything.</param>
    public static async Task<IReadOnlyList<DiagnosisFinding>> RunAsync(
        string check, string? name, Func<CancellationToken, Task<IReadOnlyList<DiagnosisFinding>>> examine, TimeProvider time,
        CancellationToken cancellationToken)
    {
        using var limit = new TimeLimit(LongestCheck, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            return await examine(both.Token).WaitOrAbandonAsync(both.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return [DiagnosisFinding.Warning(check, name, $"No result within {LongestCheck.TotalSeconds:0} seconds.", Again)];
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            var fix = exception is DnsException ? CheckResolvers : Again;
            return [DiagnosisFinding.Warning(check, name, QuotedText.Words(exception.Message, QuotedText.MaxReplyLength), fix)];
        }
    }

    /// <summary>Whether a finding says what is wrong, not only that something could not be found out.</summary>
    public static bool IsProblem(DiagnosisFinding finding)
        => finding.Level != DiagnosisLevel.Ok && finding.Fix is not (null or Again or CheckResolvers);
}
