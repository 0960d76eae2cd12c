using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Engine;
using KestrelAcme.Certificates.RateLimits;
using KestrelAcme.Challenges;
using KestrelAcme.Challenges.Routing;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Hosting.Doctor;

/// <summary>Examines several names at the same time.</summary>
internal sealed class NamesExaminer(
    NameExaminer names,
    ServerExaminer server,
    AuthorityExaminer authorities,
    TrialTokens trials,
    IAccountThumbprints accounts,
    CertificateOverview overview,
    ConfigurationSource configuration,
    TimeProvider time)
{
    private const int MostAtOnce = 16;

    /// <summary>The number of managed certificates.</summary>
    public int Managed => overview.Count;

    /// <summary>Lists the names of all certificates, sorted.</summary>
    public IReadOnlyList<NameToExamine> List()
        => [.. from condition in overview.Look()
               from identifier in condition.Certificate.Specification.Identifiers
               group condition.Certificate.Specification by identifier into same
               orderby same.Key.BaseValue, same.Key.Value
               select new NameToExamine(same.Key, [.. same.SelectMany(s => s.ChallengeTypes).Distinct(StringComparer.Ordinal)])
               {
                   IsOnDemand = same.All(s => s.IsOnDemand),
               }];

    /// <summary>Responds to a token for as long as the examination lasts.</summary>
    /// <returns>
    /// <see langword="null"/> if there is no name whose addresses could be asked for it, or if the store does not respond.
    /// </returns>
    public async Task<TrialToken?> TryAsync(IEnumerable<NameToExamine> some, CancellationToken cancellationToken)
    {
        TrialToken? trial = null;
        if (some.FirstOrDefault(n => !n.Name.IsWildcard) is { } first)
        {
            await Checks.RunAsync(
                ServerVerdicts.Token,
                null,
                async token =>
                {
                    // With an account, other instances that share the store know the token, too.
                    if (configuration.Current.Authorities is [var authority, ..])
                    {
                        await accounts.LoadAsync(authority.DirectoryUrl, static _ => true, token);
                    }

                    trial = await trials.AddAsync(first.Name.Value, token);
                    return [];
                },
                time,
                cancellationToken);
        }

        return trial;
    }

    /// <param name="some">The names.</param>
    /// <param name="trial">The token to request from their addresses.</param>
    /// <param name="isTellable">See <see cref="NameFacts.IsTellable"/>.</param>
    /// <param name="isWhole">Whether to look at certificates and endpoints, too, not only at DNS and where names lead.</param>
    /// <param name="cancellationToken">Cancels everything.</param>
    public async Task<IReadOnlyList<DiagnosisFinding>> ExamineAsync(
        IReadOnlyList<NameToExamine> some, TrialToken? trial, bool isTellable, bool isWhole, CancellationToken cancellationToken)
    {
        var with = await PrepareAsync(trial, isTellable, cancellationToken);
        using var places = new SemaphoreSlim(MostAtOnce);
        var findings = await Task.WhenAll(some.Select(async name =>
        {
            await places.WaitAsync(cancellationToken);
            try
            {
                return await ExamineAsync(name, with with { ChallengeTypes = name.ChallengeTypes }, isWhole, cancellationToken);
            }
            finally
            {
                places.Release();
            }
        }));
        return [.. findings.SelectMany(f => f)];
    }

    private async Task<NameExamination> PrepareAsync(TrialToken? trial, bool isTellable, CancellationToken cancellationToken)
    {
        var snapshot = configuration.Current;
        var with = new NameExamination
        {
            Trial = trial,
            IsTellable = isTellable,
            Own = OwnAddresses.Read(),
            IsPublicAuthority = snapshot.Authorities.Any(a => a.IsPublic),
        };
        if (snapshot.Authorities is [var first, ..])
        {
            await Checks.RunAsync(
                NameVerdicts.Caa,
                null,
                async token =>
                {
                    var identities = await authorities.CaaIdentitiesAsync(first, token);
                    with = with with { CaaIdentities = identities, AccountUrl = await authorities.ReadAccountAsync(first, token) };
                    return [];
                },
                time,
                cancellationToken);
        }

        return with;
    }

    private async Task<IReadOnlyList<DiagnosisFinding>> ExamineAsync(
        NameToExamine name, NameExamination with, bool isWhole, CancellationToken cancellationToken)
    {
        var value = name.Name.Value;
        var nothing = Task.FromResult<IReadOnlyList<DiagnosisFinding>>([]);
        Task<IReadOnlyList<DiagnosisFinding>> Run(string check, Func<CancellationToken, Task<IReadOnlyList<DiagnosisFinding>>> examine)
            => Checks.RunAsync(check, value, examine, time, cancellationToken);

        var dns = name.Name.IsWildcard ? nothing : Run(NameVerdicts.Dns, token => names.ExamineAsync(name.Name, with, token));
        var caa = name.Name.Kind == IdentifierKind.Ip || with.CaaIdentities.Count == 0 ? nothing
            : Run(NameVerdicts.Caa, token => names.ExamineCaaAsync(name.Name, with, token));

        // A connection for a name on demand would be a visit, with which a certificate is ordered or kept.
        var served = name.Name.IsWildcard || name.IsOnDemand || !isWhole ? nothing
            : Run(ServerVerdicts.Served, token => server.ConnectAsync(value, token));
        var found = await Task.WhenAll(dns, caa, served);
        return [.. isWhole ? Conditions(value) : [], .. found[0], .. found[1], .. found[2]];
    }

    // A certificate for several names is judged with its first one.
    private IEnumerable<DiagnosisFinding> Conditions(string name)
    {
        var now = time.GetUtcNow();
        return from condition in overview.Look()
               let certificate = condition.Certificate
               where certificate.Specification.Identifiers[0].Value == name
               select HostVerdicts.Certificate(
                   overview.Status(certificate),
                   condition.Problems,
                   ExactSetPolicy.NextAllowed(IssuedByFirst(certificate.State), now)
                       ?? Certificates.Model.FailedValidationPolicy.NextAllowed(certificate.State.FailedValidations ?? [], now),
                   now,
                   configuration.Current.ImportFrom.Count > 0);
    }

    private IEnumerable<DateTimeOffset> IssuedByFirst(Certificates.Model.CertificateStateRecord state)
        => configuration.Current.Authorities is [var first, ..] ? ExactSetPolicy.Of(state, first.DirectoryUrl) : state.Issued ?? [];
}

/// <summary>A name, and the challenge types that may prove it.</summary>
internal sealed record NameToExamine(CertificateIdentifier Name, IReadOnlyList<string> ChallengeTypes)
{
    /// <summary>Whether the name is managed only because a client came for it.</summary>
    public bool IsOnDemand { get; init; }
}
