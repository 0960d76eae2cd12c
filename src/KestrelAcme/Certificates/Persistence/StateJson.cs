using System.Text.Json;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Challenges;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Storage;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>The fields of a stored state. Those of existing stores keep their names.</summary>
internal static class StateJson
{
    public static CertificateStateRecord Read(JsonFields json) => new()
    {
        Version = json.Number("version", 1),
        State = json.Choice<CertificateState>("state") ?? default,
        Since = json.OptionalInstant("since"),
        Failure = json.Object("failure") is { } failure ? ReadFailure(failure) : null,
        RenewalInfo = json.Object("renewalInfo") is { } info ? ReadRenewalInfo(info) : null,
        StoredOrder = json.Object("pendingOrder") is { } order ? ReadOrder(order) : null,
        Revocation = json.Object("revocation") is { } revocation ? ReadRevocation(revocation) : null,
        Issued = json.Instants("issued"),
        IssuedBy = ReadIssuers(json),
        FailedValidations = json.Instants("failedValidations"),
        AuthorityFailures = json.Object("authorityFailures") is { } failures ? ReadNumbers(failures) : null,
        HeldUntil = json.Object("heldUntil") is { } held ? ReadInstants(held) : null,
        LookedAt = json.OptionalInstant("lookedAt"),
        FailedChallengeTypes = json.Texts("failedChallengeTypes"),
        Rehearse = json.Flag("rehearse"),
        RehearsalDownSince = json.OptionalInstant("rehearsalDownSince"),
        RecordsEnd = json.OptionalInstant("recordsEnd"),
        CutOff = json.Flag("cutOff"),
        KeyRefused = json.Flag("keyRefused"),
    };

    public static void Write(Utf8JsonWriter json, CertificateStateRecord state)
    {
        json.WriteNumber("version", state.Version);
        json.WriteString("state", state.State.ToString());
        json.WriteInstant("since", state.Since);
        json.WriteObject("failure", state.Failure, WriteFailure);
        json.WriteObject("renewalInfo", state.RenewalInfo, WriteRenewalInfo);
        json.WriteObject("pendingOrder", state.StoredOrder, WriteOrder);
        json.WriteObject("revocation", state.Revocation, WriteRevocation);
        json.WriteInstants("issued", state.Issued);
        json.WriteTexts("issuedBy", state.IssuedBy);
        json.WriteInstants("failedValidations", state.FailedValidations);
        json.WriteObject("authorityFailures", state.AuthorityFailures, WriteNumbers);
        json.WriteObject("heldUntil", state.HeldUntil, WriteInstants);
        json.WriteInstant("lookedAt", state.LookedAt);
        json.WriteTexts("failedChallengeTypes", state.FailedChallengeTypes);
        json.WriteBoolean("rehearse", state.Rehearse);
        json.WriteInstant("rehearsalDownSince", state.RehearsalDownSince);
        json.WriteInstant("recordsEnd", state.RecordsEnd);
        json.WriteBoolean("cutOff", state.CutOff);
        json.WriteBoolean("keyRefused", state.KeyRefused);
    }

    // There are few CAs, and tens of thousands of states.
    private static string[]? ReadIssuers(JsonFields json)
        => json.Texts("issuedBy") is { } issuers ? [.. issuers.Select(string.Intern)] : null;

    private static FailureRecord ReadFailure(JsonFields json) => new()
    {
        Count = json.Number("count"),
        ProblemType = json.OptionalText("problemType"),
        Message = json.Text("message"),
        At = json.Instant("at"),
        NextAttempt = json.Instant("nextTry"),
        LocalCount = json.Number("localCount"),
        WasOutage = json.Flag("wasOutage"),
        Seen = json.OptionalText("seen"),
        Addresses = json.Object("addresses") is { } addresses ? ReadAddresses(addresses) : null,
        Settings = json.OptionalText("settings"),
        RequiredRecords = json.Objects("requiredRecords", ReadRequiredRecord) ?? [],
        Cause = json.Choice<FailureCause>("cause") ?? throw new JsonException("'cause' is missing"),
    };

    private static void WriteFailure(Utf8JsonWriter json, FailureRecord failure)
    {
        json.WriteNumber("count", failure.Count);
        json.WriteText("problemType", failure.ProblemType);
        json.WriteString("message", failure.Message);
        json.WriteString("at", failure.At);
        json.WriteString("nextTry", failure.NextAttempt);
        json.WriteNumber("localCount", failure.LocalCount);
        json.WriteBoolean("wasOutage", failure.WasOutage);
        json.WriteText("seen", failure.Seen);
        json.WriteObject("addresses", failure.Addresses, WriteAddresses);
        json.WriteText("settings", failure.Settings);
        json.WriteObjects("requiredRecords", failure.RequiredRecords, WriteRequiredRecord);
        json.WriteString("cause", failure.Cause.ToString());
    }

    private static RequiredDnsRecord ReadRequiredRecord(JsonFields json) => new(json.Text("name"), json.Text("type"), json.Text("value"));

    private static void WriteRequiredRecord(Utf8JsonWriter json, RequiredDnsRecord record)
    {
        json.WriteStartObject();
        json.WriteString("name", record.Name);
        json.WriteString("type", record.Type);
        json.WriteString("value", record.Value);
        json.WriteEndObject();
    }

    private static SeenAddresses ReadAddresses(JsonFields json) => new()
    {
        Sets = json.Texts("sets") ?? [],
        AwaitsLook = json.Flag("awaitsLook", otherwise: true),
        BroughtForward = json.Instants("broughtForward") ?? [],
    };

    private static void WriteAddresses(Utf8JsonWriter json, SeenAddresses addresses)
    {
        json.WriteTexts("sets", addresses.Sets);
        json.WriteBoolean("awaitsLook", addresses.AwaitsLook);
        json.WriteInstants("broughtForward", [.. addresses.BroughtForward]);
    }

    private static RenewalInfoRecord ReadRenewalInfo(JsonFields json) => new()
    {
        SerialNumber = json.OptionalText("serialNumber"),
        WindowStart = json.OptionalInstant("windowStart"),
        WindowEnd = json.OptionalInstant("windowEnd"),
        ChosenInstant = json.OptionalInstant("chosenInstant"),
        NextPoll = json.Instant("nextPoll"),
        Failures = json.Number("failures"),
        ExplanationUrl = json.OptionalUrl("explanationUrl"),
    };

    private static void WriteRenewalInfo(Utf8JsonWriter json, RenewalInfoRecord info)
    {
        json.WriteText("serialNumber", info.SerialNumber);
        json.WriteInstant("windowStart", info.WindowStart);
        json.WriteInstant("windowEnd", info.WindowEnd);
        json.WriteInstant("chosenInstant", info.ChosenInstant);
        json.WriteString("nextPoll", info.NextPoll);
        json.WriteNumber("failures", info.Failures);
        json.WriteUrl("explanationUrl", info.ExplanationUrl);
    }

    private static StoredOrder ReadOrder(JsonFields json) => new()
    {
        Names = json.Texts("names") ?? throw new JsonException("'names' is missing"),
        KeyAlgorithm = json.Text("keyAlgorithm"),
        PrivateKey = json.Bytes("privateKey"),
        DirectoryUrl = json.Url("directoryUrl"),
        AccountUrl = json.Url("accountUrl"),
        Profile = json.OptionalText("profile"),
        At = json.Instant("at"),
        OrderUrl = json.OptionalUrl("orderUrl"),
        PostedAt = json.OptionalInstant("postedAt"),
        IsCounted = json.Flag("isCounted"),
        Expires = json.OptionalInstant("expires"),
        Refusals = json.Number("refusals"),
        CertificateUrl = json.OptionalUrl("certificateUrl"),
    };

    private static void WriteOrder(Utf8JsonWriter json, StoredOrder order)
    {
        json.WriteTexts("names", order.Names);
        json.WriteString("keyAlgorithm", order.KeyAlgorithm);
        json.WriteBase64String("privateKey", order.PrivateKey);
        json.WriteUrl("directoryUrl", order.DirectoryUrl);
        json.WriteUrl("accountUrl", order.AccountUrl);
        json.WriteText("profile", order.Profile);
        json.WriteString("at", order.At);
        json.WriteUrl("orderUrl", order.OrderUrl);
        json.WriteInstant("postedAt", order.PostedAt);
        json.WriteBoolean("isCounted", order.IsCounted);
        json.WriteInstant("expires", order.Expires);
        json.WriteNumber("refusals", order.Refusals);
        json.WriteUrl("certificateUrl", order.CertificateUrl);
    }

    private static RevocationRecord ReadRevocation(JsonFields json) => new(
        json.OptionalText("serialNumber") ?? "",
        json.OptionalInstant("at") ?? default,
        json.Flag("onPurpose"),
        json.Choice<RevocationReason>("reason"));

    private static void WriteRevocation(Utf8JsonWriter json, RevocationRecord revocation)
    {
        json.WriteString("serialNumber", revocation.SerialNumber);
        json.WriteString("at", revocation.At);
        json.WriteBoolean("onPurpose", revocation.OnPurpose);
        json.WriteText("reason", revocation.Reason?.ToString());
    }

    private static Dictionary<string, int> ReadNumbers(JsonFields json)
    {
        var numbers = new Dictionary<string, int>();
        foreach (var name in json.Names())
        {
            numbers[name] = json.Number(name);
        }

        return numbers;
    }

    private static void WriteNumbers(Utf8JsonWriter json, IReadOnlyDictionary<string, int> numbers)
    {
        foreach (var (name, number) in numbers)
        {
            json.WriteNumber(name, number);
        }
    }

    private static Dictionary<string, DateTimeOffset> ReadInstants(JsonFields json)
    {
        var instants = new Dictionary<string, DateTimeOffset>();
        foreach (var name in json.Names())
        {
            instants[name] = json.Instant(name);
        }

        return instants;
    }

    private static void WriteInstants(Utf8JsonWriter json, IReadOnlyDictionary<string, DateTimeOffset> instants)
    {
        foreach (var (name, instant) in instants)
        {
            json.WriteString(name, instant);
        }
    }
}
