using System.Net;
using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Failures;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Certificates.Orders;

/// <summary>Makes stored orders, and decides whether one can be resumed. Pure, except for new keys.</summary>
internal static class StoredOrders
{
    /// <summary>Whether a leftover order is for the same names, key, profile and account as the wanted one.</summary>
    public static bool Fits(StoredOrder pending, OrderContext context, Uri accountUrl)
        => pending.DirectoryUrl == context.Authority.Specification.DirectoryUrl
            && pending.AccountUrl == accountUrl
            && pending.KeyAlgorithm == context.Specification.KeyAlgorithm.ToString()
            && pending.Profile == Profile(context)
            && new HashSet<string>(pending.Names, StringComparer.Ordinal).SetEquals(Names(context));

    /// <summary>How often the CA may fail on one order before it is given up.</summary>
    public const int MostRefusals = 3;

    // A CA that needs hours is waited for, and one that issues unusable certificates is not asked for one after the other.
    private static readonly TimeSpan LongestLife = TimeSpan.FromDays(1);

    // A certificate with a lifetime of a day would expire meanwhile.
    private const int ShareOfTheLifetime = 10;

    // Longer than an attempt polls.
    private static readonly TimeSpan ShortestLife = TimeSpan.FromMinutes(10);

    // The clocks of two instances may differ so much.
    private static readonly TimeSpan ClockMargin = TimeSpan.FromHours(1);

    /// <summary>
    /// Whether an order that does not end, or whose certificate cannot be used, is given up: it is retried for a day, or for a tenth of a
    /// short lifetime, before another order replaces it. A time in the future, from a clock that was ahead, does not count.
    /// </summary>
    public static bool IsOpenForLong(StoredOrder pending, CertificateSnapshot? current, DateTimeOffset now)
    {
        var share = current is null ? LongestLife : (current.NotAfter - current.NotBefore) / ShareOfTheLifetime;
        var longest = share > LongestLife ? LongestLife : share < ShortestLife ? ShortestLife : share;
        return now - pending.At >= longest || pending.At - now > longest;
    }

    /// <summary>
    /// Whether a failure may be that of one order, although the CA responds: its status does not change, its certificate cannot be used, or
    /// requests for it fail.
    /// </summary>
    public static bool IsOfOrder(Exception exception) => exception switch
    {
        UnusableCertificateException or AcmePollingTimeoutException => true,
        AcmeUnreachableException or AcmeRateLimitedException => false,
        AcmeException acme => acme.RetryAfter is null && !acme.HasProblem(AcmeProblemTypes.BadNonce),
        _ => false,
    };

    /// <summary>Whether a response about an order means that the CA has no such order for this account.</summary>
    public static bool IsRefusal(AcmeException exception)
        => (int?)exception.StatusCode is >= 400 and < 500 && exception is not AcmeRateLimitedException
            && !exception.HasProblem(AcmeProblemTypes.AccountDoesNotExist) && !exception.HasProblem(AcmeProblemTypes.BadNonce);

    /// <summary>
    /// Whether a failure leaves an order that can never be finished: it is invalid, its certificate is gone, or the request for it is
    /// refused.
    /// </summary>
    public static bool IsLost(Exception exception)
        => exception is OrderFailedException
            || (exception is AcmeException acme && (acme.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Gone
                || acme.HasProblem(AcmeProblemTypes.BadCsr) || acme.HasProblem(AcmeProblemTypes.BadPublicKey)));

    /// <summary>Whether a CA refuses the key of a certificate, or a request because of it.</summary>
    public static bool RefusesKey(Exception exception) => exception switch
    {
        OrderFailedException { Problem: { } problem }
            => problem.Contains(AcmeProblemTypes.BadPublicKey) || problem.Contains(AcmeProblemTypes.BadCsr),
        AcmeException acme => acme.HasProblem(AcmeProblemTypes.BadPublicKey) || acme.HasProblem(AcmeProblemTypes.BadCsr),
        _ => false,
    };

    /// <summary>Whether the certificate of an order was already obtained.</summary>
    public static bool IsFinished(StoredOrder? pending, CertificateSnapshot? current)
        => pending?.OrderUrl is { } url && current?.Record.Metadata.OrderUrl == url.OriginalString;

    /// <summary>
    /// Returns the state of a certificate whose order is done, if that was not written down: the instance that obtained it was ended, or is
    /// about to write it.
    /// </summary>
    public static CertificateStateRecord Settle(CertificateStateRecord state, CertificateSnapshot current, DateTimeOffset now)
        => IsFinished(state.StoredOrder, current) || IsOvertaken(state, current, now)
            ? new CertificateStateRecord
            {
                State = CertificateState.Valid,
                Since = now,
                Issued = state.Issued,
                IssuedBy = state.IssuedBy,
                FailedValidations = state.FailedValidations,
                RecordsEnd = state.RecordsEnd,
                Revocation = state.Revocation?.SerialNumber == current.SerialNumber ? state.Revocation : null,
            }
            : state;

    /// <summary>
    /// Whether a state with an order that is not over is older than the certificate that is served, as after the store was restored from a
    /// backup: the order was finished since, or another one was. Its certificate would replace a newer one.
    /// </summary>
    public static bool IsOvertaken(CertificateStateRecord state, CertificateSnapshot? current, DateTimeOffset now)
    {
        if (current?.Record.Metadata.ObtainedAt is not { } obtained || obtained > now || !state.IsUnfinished)
        {
            return false;
        }

        var latest = obtained - ClockMargin;
        return !(state.Since >= latest) && !(state.StoredOrder?.At >= latest) && !(state.Failure?.At >= latest);
    }

    /// <summary>
    /// A crash leaves an intent without an order URL, for which no failure was counted. The CA may hold an order whose URL never arrived,
    /// so it counts as a failure and the next attempt waits. A mark tells it, not a time, because the clock may have been set back in
    /// between.
    /// </summary>
    /// <exception cref="OrderOutcomeUnknownException">An earlier run ended between the request for an order and storing the
    /// response.</exception>
    public static void ThrowIfOutcomeUnknown(CertificateStateRecord state)
    {
        if (state.StoredOrder is { OrderUrl: null, IsCounted: false })
        {
            throw new OrderOutcomeUnknownException();
        }
    }

    /// <summary>Notes that a failure of the attempt to place an order was counted.</summary>
    public static StoredOrder? Counted(StoredOrder? pending) => pending is { OrderUrl: null } ? pending with { IsCounted = true } : pending;

    /// <summary>
    /// What is stored before anything is asked of the CA. The key of an intent without an order is used again, because it was never sent.
    /// </summary>
    public static StoredOrder Intent(OrderContext context, Uri accountUrl, DateTimeOffset now) => new()
    {
        Names = [.. Names(context)],
        KeyAlgorithm = context.Specification.KeyAlgorithm.ToString(),
        PrivateKey = Key(context, accountUrl),
        DirectoryUrl = context.Authority.Specification.DirectoryUrl,
        AccountUrl = accountUrl,
        Profile = Profile(context),
        At = now,
    };

    public static CertificateMetadata Metadata(StoredOrder pending, Uri? certificateUrl, DateTimeOffset now, double jitter) => new()
    {
        Names = [.. pending.Names],
        KeyAlgorithm = pending.KeyAlgorithm,
        DirectoryUrl = pending.DirectoryUrl,
        AccountUrl = pending.AccountUrl,
        OrderUrl = pending.OrderUrl?.OriginalString,
        CertificateUrl = certificateUrl?.OriginalString,
        Profile = pending.Profile,
        ObtainedAt = now,
        Jitter = jitter,
    };

    private static byte[] Key(OrderContext context, Uri accountUrl)
    {
        if (context.Writer.Pending is { OrderUrl: null } intent && Fits(intent, context, accountUrl))
        {
            return intent.PrivateKey;
        }

        return context is { ReuseKey: true, Current: { } current }
            && current.Metadata.KeyAlgorithm == context.Specification.KeyAlgorithm.ToString()
            ? current.PrivateKey.ToArray()
            : CertificateKeys.Generate(context.Specification.KeyAlgorithm);
    }

    private static string? Profile(OrderContext context)
        => AuthorityChoice.ProfileOf(context.Specification, context.Authority.Specification);

    private static IEnumerable<string> Names(OrderContext context) => context.Specification.Identifiers.Select(i => i.Value);
}
