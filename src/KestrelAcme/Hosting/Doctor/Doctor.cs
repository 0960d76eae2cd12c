using System.Security.Cryptography;
using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration.Snapshot;

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
