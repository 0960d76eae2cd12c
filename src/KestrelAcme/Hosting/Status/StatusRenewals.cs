using System.Collections.Concurrent;
using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Failures;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.RateLimits;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Hosting.Status;

/// <summary>Renewals that somebody asked for on the status page, and what became of them.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class StatusRenewals(
    ICertificateManager certificates,
    CertificateCatalog catalog,
    OrderLimits limits,
    IssuanceStatus issuance,
    ConfigurationSource configuration,
    TimeProvider time)
{
    private const int MostKept = 200;

    // A refusal, and an order from a fast CA, are shown at once. A slow one goes on while the page is shown.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, Renewal> _last = new(StringComparer.Ordinal);

    /// <summary>Returns the last renewal of a certificate that was asked for here; <see langword="null"/> if there is none.</summary>
    public Renewal? Find(string id) => _last.GetValueOrDefault(id);

    /// <summary>Whether a certificate is managed.</summary>
    public bool IsManaged(string id) => catalog.Find(id) is not null;

    /// <summary>Asks for a renewal, unless it is certain that it would be refused, and waits a little for its outcome.</summary>
    public async Task AskAsync(string id, CancellationToken cancellationToken)
    {
        if (catalog.Find(id) is not { } certificate || Find(id) is { Outcome: RenewalOutcome.InProgress })
        {
            return;
        }

        if (Refusal(certificate) is { } reason)
        {
            Keep(id, RenewalOutcome.Refused, reason);
            return;
        }

        Keep(id, RenewalOutcome.InProgress, "The current certificate is served until the new one is there.");
        await RenewAsync(id).WaitAsync(Patience, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Returns why a renewal would be refused without asking the CA, and what to do.</summary>
    private string? Refusal(ManagedCertificate certificate)
    {
        if (issuance.ReasonNotToOrder is { } reason)
        {
            return reason;
        }

        try
        {
            // The order checks its limits again, and would count the refusal as a failure.
            var authorities = configuration.Current.Authorities;
            var issuer = certificate.Current?.Record.Metadata.DirectoryUrl;
            if (authorities.Count > 0)
            {
                var authority = authorities.FirstOrDefault(a => a.DirectoryUrl == issuer) ?? authorities[0];
                limits.ThrowIfReached(certificate, authority);
                limits.ThrowIfTooManyFailed(certificate, authority);
            }

            return null;
        }
        catch (Exception exception) when (exception is ExactSetLimitException or ValidationLimitException)
        {
            return exception.Message;
        }
    }

    private async Task RenewAsync(string id)
    {
        try
        {
            var status = await certificates.RenewAsync(id, CancellationToken.None);
            Keep(id, RenewalOutcome.Renewed, $"The new certificate is valid until {status.NotAfter:u}.");
        }
        catch (CertificateException exception)
        {
            Keep(id, RenewalOutcome.Failed, $"{exception.Failure.Message} The next attempt is at {exception.Failure.NextAttempt:u}.");
        }
        catch (Exception exception)
        {
            // This instance does not order, the host stops, or the names were removed meanwhile.
            Keep(id, RenewalOutcome.Refused, exception.Message);
        }
    }

    private void Keep(string id, RenewalOutcome outcome, string text)
    {
        if (_last.Count >= MostKept)
        {
            foreach (var old in _last.Where(l => l.Value.Outcome != RenewalOutcome.InProgress).Take(MostKept / 2))
            {
                _last.TryRemove(old.Key, out _);
            }
        }

        _last[id] = new Renewal(id, outcome, QuotedText.Words(text, QuotedText.MaxReplyLength));
    }

    /// <summary>A renewal that was asked for.</summary>
    internal sealed record Renewal(string Certificate, RenewalOutcome Outcome, string Text);
}

/// <summary>What became of a renewal.</summary>
internal enum RenewalOutcome
{
    InProgress,
    Renewed,
    Failed,
    Refused,
}
