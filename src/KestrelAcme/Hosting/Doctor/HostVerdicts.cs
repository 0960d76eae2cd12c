using System.Globalization;
using System.Net;
using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Failures;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Challenges.Http01;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Protocol.Directories;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Storage;

namespace KestrelAcme.Hosting.Doctor;

/// <summary>Judges what was seen of the app, its store and its CAs. Pure.</summary>
internal static class HostVerdicts
{
    public const string Options = "options";
    public const string Storage = "storage";
    public const string Permissions = "permissions";
    public const string Directory = "directory";
    public const string Account = "account";
    public const string Clock = "clock";
    public const string RateLimits = "rate-limits";
    public const string PostQuantum = "post-quantum";

    private const string Connectivity
        = "Check that the CA is up, that AcmeHttps:DirectoryUrl is right, and that firewall and proxy let this machine connect.";

    private const string OpenSslWithMlKem = "3.5";

    private static readonly TimeSpan SmallSkew = TimeSpan.FromMinutes(1);

    // Beyond this, nothing is ordered.
    private static readonly TimeSpan LargestSkew = TimeSpan.FromHours(1);

    /// <summary>Judges valid options.</summary>
    /// <param name="snapshot">The options.</param>
    /// <param name="managed">The number of certificates, with those for names that were added at run time.</param>
    public static DiagnosisFinding Settings(ConfigurationSnapshot snapshot, int managed)
        => !snapshot.Enabled
            ? DiagnosisFinding.Warning(
                Options, null, "AcmeHttps:Enabled is false: automatic HTTPS does nothing.", "Set AcmeHttps:Enabled to true, or remove it.")
            : snapshot.NoAuthorityReason is { } reason
                ? DiagnosisFinding.Warning(Options, null, "Nothing is ordered, because no CA is configured for this environment.", reason)
                : managed == 0 && snapshot.OnDemand is null
                    ? DiagnosisFinding.Warning(
                        Options, null, "There are no names, so nothing is ordered.", "Put your names into AcmeHttps:DomainNames.")
                    : DiagnosisFinding.Ok(Options, null, Describe(snapshot, managed));

    /// <summary>Puts the problems of invalid options into findings.</summary>
    public static IEnumerable<DiagnosisFinding> Invalid(IEnumerable<string> problems)
        => problems.Select(problem =>
        {
            // "AcmeHttps:DomainNames:0 = 'x. y': is no domain name. Write 'y'." The fix may have several sentences.
            var end = problem.IndexOf(". ", Math.Max(problem.IndexOf("': ", StringComparison.Ordinal), 0), StringComparison.Ordinal);
            return end < 0
                ? DiagnosisFinding.Error(Options, null, problem, "Correct the option; docs/options.md describes it.")
                : DiagnosisFinding.Error(Options, null, problem[..(end + 1)], problem[(end + 2)..]);
        });

    /// <summary>Judges whether the store can be used and survives a restart.</summary>
    public static DiagnosisFinding Store(StorageHealth health, ConfigurationSnapshot snapshot)
    {
        if (!health.Readable || !health.Writable)
        {
            var (fault, remedy) = Split(
                health.Explanation, $"The store at {health.Place} cannot be {(health.Readable ? "written" : "read")}.");
            return DiagnosisFinding.Error(
                Storage,
                null,
                fault,
                remedy ?? $"Give the app's user access to {health.Place}, or set AcmeHttps:StoragePath to a folder where it has access.");
        }

        if (health.Durable)
        {
            return DiagnosisFinding.Ok(Storage, null, $"{health.Place} can be read and written, and survives a restart.");
        }

        var (message, fix) = Split(health.Explanation, $"The store at {health.Place} does not survive a restart.");
        fix ??= "Set AcmeHttps:StoragePath to a folder that survives restarts.";
        return snapshot.AllowEphemeralStorage || !snapshot.Authorities.Any(a => a.IsPublic)
            ? DiagnosisFinding.Warning(Storage, null, message, fix)
            : DiagnosisFinding.Error(Storage, null, $"{message} Nothing is ordered from a public CA.", fix);
    }

    /// <summary>Judges the access of others to the store's folder.</summary>
    public static DiagnosisFinding Access(string folder, UnixFileMode mode, IReadOnlyList<string> readableFiles)
    {
        const UnixFileMode others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
        if ((mode & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != 0)
        {
            return DiagnosisFinding.Error(
                Permissions, null, $"Other users can write to {folder}, and so replace certificates and keys.", $"chmod 700 {folder}");
        }

        return readableFiles.Count > 0
            ? DiagnosisFinding.Warning(
                Permissions,
                null,
                $"Other users can read {readableFiles.Count} files with private keys, such as {readableFiles[0]}.",
                $"chmod -R go-rwx {folder}")
            : DiagnosisFinding.Ok(
                Permissions,
                null,
                (mode & others) == 0 ? $"Only the app's user can access {folder}." : $"Only the app's user can read the keys in {folder}.");
    }

    /// <summary>Judges a CA that responded.</summary>
    /// <param name="authority">The CA.</param>
    /// <param name="meta">What its directory says.</param>
    /// <param name="profiles">The profiles that are asked for.</param>
    /// <param name="snapshot">The options.</param>
    /// <param name="hasAccount">Whether there is an account already.</param>
    public static IEnumerable<DiagnosisFinding> Reached(
        AuthoritySpecification authority, AcmeDirectoryMeta meta, IReadOnlyCollection<string> profiles, ConfigurationSnapshot snapshot,
        bool hasAccount)
    {
        var name = authority.DisplayName;
        yield return DiagnosisFinding.Ok(Directory, name, $"{authority.DirectoryUrl} responds, and its certificate is trusted.");
        if (hasAccount)
        {
            yield return DiagnosisFinding.Ok(Account, name, "The store has an account.");
        }
        else if (meta.TermsOfService is { } terms && !snapshot.AcceptTermsOfService)
        {
            yield return DiagnosisFinding.Error(
                Account, name, "The CA has terms of service, which are not accepted.",
                $"Read {terms}, and set AcmeHttps:AcceptTermsOfService to true.");
        }
        else if (meta.ExternalAccountRequired && authority.ExternalAccountBinding is null)
        {
            yield return DiagnosisFinding.Error(
                Account, name, "The CA accepts new accounts only with an external account binding.",
                "Get a key ID and an HMAC key from the CA, and set AcmeHttps:ExternalAccountBinding.");
        }
        else
        {
            yield return DiagnosisFinding.Ok(Account, name, "There is none yet. It is created with the first order.");
        }

        foreach (var profile in profiles.Where(p => meta.Profiles.Count > 0 && !meta.Profiles.ContainsKey(p)))
        {
            yield return DiagnosisFinding.Error(
                Directory, name, $"The CA does not offer the profile '{profile}'.",
                $"Set Profile to one of {string.Join(", ", meta.Profiles.Keys)}, or remove it.");
        }
    }

    /// <summary>Judges a CA that did not respond as it should.</summary>
    public static DiagnosisFinding Unreached(AuthoritySpecification authority, AcmeException failure)
    {
        var fix = failure switch
        {
            AcmeUnreachableException { Reason: AcmeUnreachableReason.NameNotResolved }
                => "Check the host name in AcmeHttps:DirectoryUrl, and the DNS resolver of this machine.",
            AcmeUnreachableException { Reason: AcmeUnreachableReason.NotConnected or AcmeUnreachableReason.TimedOut
                or AcmeUnreachableReason.ConnectionLost or AcmeUnreachableReason.ProxyFailed }
                => Connectivity,
            AcmeUnreachableException unreachable => ProblemAdvice.ForUnreachable(unreachable).Replace(
                "KestrelAcme tries again. ", "", StringComparison.Ordinal),
            AcmeRateLimitedException => "Wait until the CA accepts requests again; KestrelAcme does.",
            _ => "Check AcmeHttps:DirectoryUrl, path included.",
        };
        return DiagnosisFinding.Error(Directory, authority.DisplayName, failure.Message, fix);
    }

    /// <summary>Judges a CA that accepted a connection, or not even that, and said nothing.</summary>
    public static DiagnosisFinding Silent(AuthoritySpecification authority, TimeSpan waited)
        => DiagnosisFinding.Error(
            Directory, authority.DisplayName, $"{authority.DirectoryUrl} did not respond within {Span(waited)}.", Connectivity);

    /// <summary>Judges the clock.</summary>
    /// <param name="authority">The CA.</param>
    /// <param name="ahead">How far this machine's clock is ahead of the CA's.</param>
    public static DiagnosisFinding Skew(AuthoritySpecification authority, TimeSpan? ahead)
    {
        const string fix = "Synchronize the clock with NTP (chrony, systemd-timesyncd; for a container, on its host).";
        if (ahead is not { } skew)
        {
            return DiagnosisFinding.Warning(
                Clock, authority.DisplayName, "The CA sent no Date header, so this machine's clock was not compared.", fix);
        }

        var (size, side) = (skew.Duration(), skew > TimeSpan.Zero ? "ahead of" : "behind");
        var message = $"This machine's clock is {Span(size)} {side} the CA's.";
        return size > LargestSkew
            ? DiagnosisFinding.Error(Clock, authority.DisplayName, $"{message} Beyond an hour, nothing is ordered.", fix)
            : size > SmallSkew ? DiagnosisFinding.Warning(Clock, authority.DisplayName, message, fix)
            : DiagnosisFinding.Ok(Clock, authority.DisplayName, "This machine's clock agrees with the CA's.");
    }

    /// <summary>Judges how many orders are left before KestrelAcme holds them back, at a public CA.</summary>
    public static DiagnosisFinding Pace(AuthoritySpecification authority, PaceFacts facts, DateTimeOffset now)
    {
        var name = authority.DisplayName;
        if (facts.Blocked is { } blocked)
        {
            return DiagnosisFinding.Error(RateLimits, name, blocked, "Fix the cause; KestrelAcme tries again by itself.");
        }

        if (facts.HeldUntil is { } until && until > now)
        {
            return DiagnosisFinding.Warning(
                RateLimits, name, $"Orders are held back until {until:u}, because the CA limited the account or was down.",
                "Wait; restarting the app does not help.");
        }

        if (!authority.IsPublic)
        {
            return DiagnosisFinding.Ok(RateLimits, name, "No limits of this CA are known.");
        }

        return facts.Tokens < 1
            ? DiagnosisFinding.Warning(
                RateLimits, name, $"The share of new certificates is used up. The next one is ordered in {Span(facts.NextToken)}.",
                "Wait, and find out why so many certificates are ordered.")
            : DiagnosisFinding.Ok(
                RateLimits, name, string.Create(
                    CultureInfo.InvariantCulture, $"{Math.Floor(facts.Tokens)} of {facts.Capacity} new certificates can be ordered now."));
    }

    /// <summary>Tells whether key exchange is safe from quantum computers, which OpenSSL decides.</summary>
    /// <param name="version">The version of OpenSSL; <see langword="null"/> if another library does TLS.</param>
    public static DiagnosisFinding KeyExchange(Version? version)
        => DiagnosisFinding.Ok(
            PostQuantum,
            null,
            version is null ? "It depends on the operating system's TLS."
                : version >= new Version(3, 5) ? $"X25519MLKEM768 is offered (OpenSSL {version})."
                : $"Not offered: that takes OpenSSL {OpenSslWithMlKem} or later, and this is {version}.");

    /// <summary>Judges a certificate by its state.</summary>
    public static DiagnosisFinding Certificate(
        CertificateStatus status, CertificateProblems problems, DateTimeOffset? allowed, DateTimeOffset now, bool imports = false)
    {
        var name = status.DomainNames[0];
        const string check = "certificate";
        var valid = status.NotAfter is not { } end ? "There is none yet."
            : end <= now ? $"It expired on {end:u}."
            : $"Valid until {end:u}.";
        if (status.Failure is { } failure)
        {
            var message = $"{valid} The last attempt failed on {failure.At:u}: {failure.Message}";
            return problems.HasFlag(CertificateProblems.Expired) || failure.Cause == FailureCause.Operator
                ? DiagnosisFinding.Error(check, name, message, $"Fix that. The next attempt is on {failure.NextAttempt:u}.")
                : DiagnosisFinding.Warning(check, name, message, $"Fix that. The next attempt is on {failure.NextAttempt:u}.");
        }

        return allowed > now
            ? DiagnosisFinding.Warning(
                check, name, $"{valid} No order is placed before {allowed:u}, to stay within the limits of public CAs.",
                "Find out why it was ordered so often: a store that is lost, or a restart loop.")
            : problems.HasFlag(CertificateProblems.Expired)
                ? DiagnosisFinding.Error(check, name, valid, "Start the app with Issuance: Automatic; it renews by itself.")
                : DiagnosisFinding.Ok(
                    check, name,
                    status.NotAfter is not null ? valid : $"{valid} The app {(imports ? "imports or " : "")}orders it when it runs.");
    }

    private static string Describe(ConfigurationSnapshot snapshot, int managed)
        => $"Valid: {managed} certificate{(managed == 1 ? "" : "s")}{(snapshot.OnDemand is null ? "" : ", and more on demand")}, "
            + (snapshot.Issuance == IssuanceMode.ServeOnly ? "which this instance only serves."
                : $"by {string.Join(", ", snapshot.ChallengeTypes)} "
                    + $"from {string.Join(", ", snapshot.Authorities.Select(a => a.DisplayName))}.");

    private static (string Message, string? Fix) Split(string? explanation, string otherwise)
        => explanation is null ? (otherwise, null)
            : explanation.IndexOf(". ", StringComparison.Ordinal) is > 0 and var end ? (explanation[..(end + 1)], explanation[(end + 2)..])
            : (explanation, null);

    private static string Span(TimeSpan span)
        => span.TotalDays >= 2 ? Of(span.TotalDays, "days") : span.TotalHours >= 2 ? Of(span.TotalHours, "hours")
            : span.TotalMinutes >= 2 ? Of(span.TotalMinutes, "minutes") : Of(span.TotalSeconds, "seconds");

    private static string Of(double count, string unit) => string.Create(CultureInfo.InvariantCulture, $"{count:0} {unit}");
}

/// <summary>What is left before orders are held back.</summary>
internal sealed record PaceFacts
{
    public double Tokens { get; init; }

    public int Capacity { get; init; }

    public TimeSpan NextToken { get; init; }

    /// <summary>The time until which orders are held back.</summary>
    public DateTimeOffset? HeldUntil { get; init; }

    /// <summary>Why the CA refuses the account.</summary>
    public string? Blocked { get; init; }
}
