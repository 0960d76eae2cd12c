using System.Security.Cryptography;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Storage;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>The stored form of a <see cref="CertificateStateRecord"/>: JSON.</summary>
internal static class StateFile
{
    public static byte[] Encode(CertificateStateRecord record)
        => JsonFields.Write(record, StateJson.Write);

    /// <exception cref="DamagedValueException">The value is not a state file.</exception>
    public static CertificateStateRecord Decode(ReadOnlySpan<byte> value)
    {
        var record = StoredStateCheck.Repair(StoredJson.Decode(value, StateJson.Read));
        try
        {
            if (record.StoredOrder is { } order)
            {
                using var readable = CertificateKeys.Read(order.KeyAlgorithm, order.PrivateKey);
            }

            return record;
        }
        catch (CryptographicException exception)
        {
            throw new DamagedValueException("the private key of its order cannot be read", exception);
        }
    }
}

/// <summary>
/// Removes impossible values from a stored state, whatever wrote it: negative numbers, invalid URLs, contradictory renewal information.
/// Times are checked later, when they are compared with the current time. Pure.
/// </summary>
internal static class StoredStateCheck
{
    private const int MostFailures = 10_000;

    public static CertificateStateRecord Repair(CertificateStateRecord record)
    {
        if (!Enum.IsDefined(record.State))
        {
            record = record with { State = default };
        }

        if (record.Failure is { } failure && (failure.Count is < 0 or > MostFailures || !Enum.IsDefined(failure.Cause)))
        {
            var cause = Enum.IsDefined(failure.Cause) ? failure.Cause : FailureCause.Local;
            record = record with { Failure = failure with { Count = Math.Clamp(failure.Count, 0, MostFailures), Cause = cause } };
        }

        if (record.Failure is { Addresses: { } addresses } watched
            && (addresses.Sets.Count > AddressWatch.MostSets || addresses.Sets.Contains(null)))
        {
            record = record with { Failure = watched with { Addresses = AddressWatch.AfterFailure(addresses with { Sets = [] }) } };
        }

        if (record.AuthorityFailures?.Values.Any(count => count is < 0 or > MostFailures) == true)
        {
            var failures = record.AuthorityFailures.ToDictionary(
                f => f.Key, f => Math.Clamp(f.Value, 0, MostFailures), StringComparer.Ordinal);
            record = record with { AuthorityFailures = failures };
        }

        if (record.RenewalInfo is { ChosenInstant: { } chosen } info && !(info.WindowStart <= chosen && chosen <= info.WindowEnd))
        {
            // KestrelAcme asks the CA again.
            record = record with { RenewalInfo = null };
        }

        if (record.RenewalInfo is { ExplanationUrl.IsAbsoluteUri: false } advice)
        {
            record = record with { RenewalInfo = advice with { ExplanationUrl = null } };
        }

        return record.StoredOrder is { } order && !IsPossible(order) ? record with { StoredOrder = null } : record;
    }

    private static bool IsPossible(StoredOrder order)
        => order.Names.Count > 0 && !order.Names.Contains(null) && order.DirectoryUrl.IsAbsoluteUri && order.AccountUrl.IsAbsoluteUri
            && order.OrderUrl is not { IsAbsoluteUri: false } && order.CertificateUrl is not { IsAbsoluteUri: false };
}
