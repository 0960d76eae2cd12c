using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Storage;

namespace KestrelAcme.Certificates.Scheduling;

/// <summary>Tells whether this instance may order at all. Pure.</summary>
internal static class IssuanceGate
{
    /// <returns>Why nothing is ordered and what to do, or <see langword="null"/> when orders may be placed.</returns>
    public static string? ReasonNotToOrder(ConfigurationSnapshot configuration, StorageHealth storage)
    {
        if (configuration.Issuance == IssuanceMode.ServeOnly)
        {
            return "AcmeHttps:Issuance is ServeOnly: this instance serves what the store holds and orders nothing.";
        }

        if (configuration.NoAuthorityReason is { } reason)
        {
            return reason;
        }

        // Where each start begins with an empty store, each start would spend the authority's limits.
        return !storage.Durable && !configuration.AllowEphemeralStorage && configuration.Authorities.Any(a => a.IsPublic)
            ? storage.Explanation ?? $"The store at {storage.Place} does not survive a restart. Set AcmeHttps:StoragePath to a place that does, or AcmeHttps:AllowEphemeralStorage to true."
            : null;
    }
}
