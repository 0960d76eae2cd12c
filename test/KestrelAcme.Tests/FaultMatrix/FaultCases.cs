using KestrelAcme.Certificates;
using KestrelAcme.LocalAuthority;
using KestrelAcme.LocalAuthority.Faults;
using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.Tests.FaultMatrix;

/// <summary>What can go wrong with each step of an order.</summary>
internal static class FaultCases
{
    private const int Always = int.MaxValue;
    private static readonly Fault BadNonce = Fault.Problem("badNonce", 400, "The nonce is not known.");
    private static readonly Fault Malformed = Fault.Problem("malformed", 400, "The request makes no sense.");
    private static readonly Fault Forbidden = Fault.Problem("unauthorized", 403, "This is not yours.");
    private static readonly Fault NotFound = Fault.Problem("malformed", 404, "There is no such thing.");
    private static readonly Fault Broken = Fault.Problem("serverInternal", 500, "Something broke.");

    public static IReadOnlyList<FaultCase> All { get; } =
    [
        .. EachStep(ResourceKind.NewOrder),
        .. EachStep(ResourceKind.Authorization),
        .. EachStep(ResourceKind.Challenge),
        .. EachStep(ResourceKind.Finalize),
        .. EachStep(ResourceKind.Certificate),
        .. OfTheOrder(),
        .. OfTheName(),
        .. OfTheCertificate(),
        .. OfRenewalInformation(),
    ];

    private static IEnumerable<FaultCase> EachStep(ResourceKind step)
    {
        // What passes by itself is got over by the same attempt.
        if (step == ResourceKind.NewOrder)
        {
            // The authority may have made the order: asking again at once would make another.
            yield return Waits(
                step,
                "the connection is reset once",
                Fault.CutBefore,
                FailureCause.Authority,
                1,
                "broke before the whole response arrived");
        }
        else
        {
            yield return Once(step, "the connection is reset once", Fault.CutBefore);
        }

        if (step == ResourceKind.Finalize)
        {
            yield return Waits(step, "500 once", Broken, FailureCause.Authority, 1, "Something broke.");
        }
        else
        {
            yield return Once(step, "500 once", Broken);
        }

        yield return Once(step, "503 once", Fault.Unavailable(TimeSpan.FromSeconds(0)));
        yield return Once(step, "429 for a moment", Fault.TooManyRequests(TimeSpan.FromSeconds(0)));
        yield return Once(step, "the nonce is rejected once", BadNonce);
        yield return Once(step, "the nonce is missing", Fault.MissingNonce);

        yield return Waits(
            step, "the connection is always reset", Fault.CutBefore, FailureCause.Authority, "broke before the whole response arrived");
        yield return Waits(step, "no answer", Fault.NoAnswer, FailureCause.Authority, "did not answer") with { Hangs = true };
        yield return Waits(step, "400", Malformed, FailureCause.Name, "The request makes no sense.");
        yield return step == ResourceKind.NewOrder
            ? new(
                $"{step}: 403",
                (a, _) => a.Faults.Inject(step, Forbidden, Always),
                CertificateState.Blocked,
                FailureCause.Operator,
                "This is not yours.")
            : Waits(step, "403", Forbidden, FailureCause.Name, "This is not yours.");
        yield return Waits(step, "404", NotFound, FailureCause.Name, "There is no such thing.");
        yield return Waits(
            step,
            "429 for an hour",
            Fault.TooManyRequests(TimeSpan.FromHours(1)),
            FailureCause.Authority,
            "Too many requests.",
            "rate limit");
        yield return Waits(step, "500", Broken, FailureCause.Authority, "Something broke.");
        yield return Waits(step, "503", Fault.Unavailable(), FailureCause.Authority, "down for maintenance");
        yield return Waits(step, "the nonce is always rejected", BadNonce, FailureCause.Authority, "The nonce is not known.");
        foreach (var garbled in step == ResourceKind.Finalize ? Finalized() : Garbled(step))
        {
            yield return garbled;
        }
    }

    private static IEnumerable<FaultCase> Garbled(ResourceKind step)
    {
        var form = step == ResourceKind.Certificate ? "PEM" : "JSON";
        yield return Waits(step, "an endless body", Fault.EndlessBody, FailureCause.Authority, "larger than");
        if (step == ResourceKind.Challenge)
        {
            // The authority has the request: what becomes of it tells the authorization.
            yield return new(
                $"{step}: a cut body", (a, _) => a.Faults.Inject(step, Fault.CutInBody, Always), CertificateState.Valid, default);
        }
        else
        {
            yield return Waits(step, "a cut body", Fault.CutInBody, FailureCause.Authority, "broke before the whole response arrived");
        }

        yield return Waits(step, $"no {form}", Fault.NotJson, FailureCause.Authority, form);
        yield return Waits(step, $"half of the {form}", Fault.Truncated, FailureCause.Authority, form);
        if (step != ResourceKind.Certificate)
        {
            yield return Waits(step, "HTML", Fault.WrongContentType, FailureCause.Authority, "text/html");
        }
    }

    // The request was processed, whatever the answer looks like: a look at the order tells.
    private static IEnumerable<FaultCase> Finalized() =>
    [
        Once(ResourceKind.Finalize, "the answer is lost", Fault.CutAfter),
        Unreadable("an endless body", Fault.EndlessBody),
        Unreadable("a cut body", Fault.CutInBody),
        Unreadable("no JSON", Fault.NotJson),
        Unreadable("half of the JSON", Fault.Truncated),
        Unreadable("HTML", Fault.WrongContentType),
    ];

    private static FaultCase Unreadable(string what, Fault fault)
        => new(
            $"{ResourceKind.Finalize}: {what}",
            (a, _) => a.Faults.Inject(ResourceKind.Finalize, fault, Always),
            CertificateState.Valid,
            default);

    private static IEnumerable<FaultCase> OfTheOrder()
    {
        yield return Waits(ResourceKind.NewOrder, "Location is missing", Fault.MissingLocation, FailureCause.Authority, "Location");
        yield return new("order: ready comes late", (a, _) => a.Faults.LateReadyPolls = 3, CertificateState.Valid, default);
        yield return new("order: processing for a while", (a, _) => a.Faults.ProcessingPolls = 3, CertificateState.Valid, default);
        yield return new(
            "order: processing for ever",
            (a, _) => a.Faults.ProcessingStuck = true,
            CertificateState.Waiting,
            FailureCause.Authority,
            "still processing") { Hangs = true };
        yield return new(
            "authorization: pending for ever",
            (a, _) => a.Faults.ValidationStuck = true,
            CertificateState.Waiting,
            FailureCause.Authority,
            "still pending") { Hangs = true };
        yield return new(
            "replaces is refused",
            (a, _) => a.Faults.RefuseReplaces = new RefusedReplaces("alreadyReplaced", 409, "It was."),
            CertificateState.Valid,
            default);
        yield return new("half of the nonces are rejected", (a, _) => a.Faults.RejectedNoncePercent = 50, CertificateState.Valid, default);
        yield return new(
            "all nonces are rejected",
            (a, _) => a.Faults.RejectedNoncePercent = 100,
            CertificateState.Waiting,
            FailureCause.Authority,
            "nonce");
    }

    private static IEnumerable<FaultCase> OfTheName()
    {
        yield return Invalid("connection", CertificateState.Waiting, FailureCause.Name, "port 80");
        yield return Invalid("dns", CertificateState.Waiting, FailureCause.Name, "name servers");
        yield return Invalid("unauthorized", CertificateState.Waiting, FailureCause.Name, "A and AAAA records");
        yield return Invalid("caa", CertificateState.Blocked, FailureCause.Operator, "CAA record");
        yield return new(
            "newOrder: the name is rejected",
            (a, name) => a.Faults.RejectIdentifier(name, "Not for you."),
            CertificateState.Blocked,
            FailureCause.Operator,
            "Not for you.",
            "remove it from AcmeHttps");
        yield return Blocked("userActionRequired", "The terms have changed.", "AcceptTermsOfService");
        yield return Blocked("externalAccountRequired", "Bind it.", "ExternalAccountBinding");
        yield return Blocked("invalidProfile", "No such profile.", "Profile");
    }

    private static IEnumerable<FaultCase> OfTheCertificate()
    {
        yield return Wrong(WrongCertificate.OtherKey, "another key");
        yield return Wrong(WrongCertificate.OtherNames, "is not for");
        yield return Wrong(WrongCertificate.Expired, "expired");
        yield return Wrong(WrongCertificate.ChainMissing, "chain");
    }

    private static IEnumerable<FaultCase> OfRenewalInformation()
    {
        yield return Once(ResourceKind.RenewalInformation, "404", NotFound);
        yield return Once(ResourceKind.RenewalInformation, "no JSON", Fault.NotJson);
    }

    private static FaultCase Once(ResourceKind step, string what, Fault fault)
        => new($"{step}: {what}", (a, _) => a.Faults.Inject(step, fault), CertificateState.Valid, default);

    private static FaultCase Waits(ResourceKind step, string what, Fault fault, FailureCause cause, params string[] words)
        => Waits(step, what, fault, cause, Always, words);

    private static FaultCase Waits(ResourceKind step, string what, Fault fault, FailureCause cause, int times, params string[] words)
        => new($"{step}: {what}", (a, _) => a.Faults.Inject(step, fault, times), CertificateState.Waiting, cause, words);

    private static FaultCase Invalid(string type, CertificateState state, FailureCause cause, params string[] words)
        => new(
            $"validation: {type}",
            (a, name) => a.Faults.FailValidation(name, type, "It failed on purpose."),
            state,
            cause,
            ["It failed on purpose.", .. words]);

    private static FaultCase Blocked(string type, params string[] words)
        => new(
            $"newOrder: {type}",
            (a, _) => a.Faults.Inject(ResourceKind.NewOrder, Fault.Problem(type, 403, words[0]), Always),
            CertificateState.Blocked,
            FailureCause.Operator,
            words);

    private static FaultCase Wrong(WrongCertificate kind, params string[] words)
        => new(
            $"certificate: {kind}",
            (a, _) => a.Faults.IssueWrongCertificate(kind, Always),
            CertificateState.Waiting,
            FailureCause.Authority,
            words);
}
