using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.RateLimits;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Directories;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Hosting.Doctor;

/// <summary>Asks a CA for its directory, and nothing else, and looks up what this app knows of it.</summary>
internal sealed class AuthorityExaminer(
    IAuthorityClientFactory factory,
    AuthorityRegistry registry,
    CertificateStore store,
    NewOrderRateLimiter pace,
    NewOrderRateLimiterStore storedPace,
    ConfigurationSource configuration,
    IssuanceSettings settings,
    TimeProvider time)
{
    // Less than the time of a check.
    private static readonly TimeSpan ResponseTime = TimeSpan.FromSeconds(8);

    /// <summary>Examines a CA with a client of its own, so that nothing that is cached or counted changes.</summary>
    public async Task<IReadOnlyList<DiagnosisFinding>> ExamineAsync(
        AuthoritySpecification specification, CancellationToken cancellationToken)
    {
        using var client = factory.Create(specification);
        client.GiveUpAtOnce();
        AcmeDirectory directory;
        using var limit = new TimeLimit(ResponseTime, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            directory = await client.GetDirectoryAsync(both.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return [HostVerdicts.Silent(specification, ResponseTime)];
        }
        catch (AcmeException exception)
        {
            return [HostVerdicts.Unreached(specification, exception)];
        }

        var snapshot = configuration.Current;
        string[] profiles =
        [
            .. snapshot.Certificates.Select(c => c.Profile).Append(specification.Profile).OfType<string>().Distinct(StringComparer.Ordinal),
        ];
        var hasAccount = await ReadAccountAsync(specification, cancellationToken) is not null;
        return
        [
            .. HostVerdicts.Reached(specification, directory.Meta, profiles, snapshot, hasAccount),
            HostVerdicts.Skew(specification, client.ClockSkew),
        ];
    }

    /// <summary>Judges how many orders are left, from what this app and its other instances have stored.</summary>
    public async Task<IReadOnlyList<DiagnosisFinding>> ExaminePaceAsync(
        AuthoritySpecification specification, CancellationToken cancellationToken)
    {
        if (specification.IsPublic)
        {
            await storedPace.LoadAsync(cancellationToken);
        }

        var now = time.GetUtcNow();
        var authority = registry.Find(specification.DirectoryUrl);
        var bucket = pace.NewSets;
        var elapsed = now > bucket.At ? (now - bucket.At) / settings.NewSetInterval : 0;
        var tokens = Math.Min(settings.NewSetBurst, bucket.Tokens + elapsed);
        var facts = new PaceFacts
        {
            Tokens = tokens,
            Capacity = settings.NewSetBurst,
            NextToken = (1 - Math.Min(tokens, 1)) * settings.NewSetInterval,
            HeldUntil = authority?.Health.OpenUntil(now) ?? authority?.Health.NewNamesHeldUntil(now),
            Blocked = authority?.Blocks.Find(specification.Profile)?.Message,
        };
        return [HostVerdicts.Pace(specification, facts, now)];
    }

    /// <summary>Returns the URL of the stored account; <see langword="null"/> if there is none.</summary>
    public async Task<Uri?> ReadAccountAsync(AuthoritySpecification specification, CancellationToken cancellationToken)
        => (await new StoredAccount(store, specification, time).ReadAsync(cancellationToken))?.Metadata.AccountUrl;

    /// <summary>Returns the CA's names in CAA records, from a directory that is usually cached; empty if they are not known.</summary>
    public async Task<IReadOnlyList<string>> CaaIdentitiesAsync(
        AuthoritySpecification specification, CancellationToken cancellationToken)
    {
        try
        {
            return (await registry.Get(specification).Client.GetDirectoryAsync(cancellationToken)).Meta.CaaIdentities;
        }
        catch (AcmeException)
        {
            // The examination of the CA reports it.
            return [];
        }
    }
}
