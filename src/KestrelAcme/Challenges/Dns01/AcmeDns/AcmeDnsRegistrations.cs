using System.Text.Json;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges.Dns01.AcmeDns;

/// <summary>Keeps registrations in the store, one for each server and name.</summary>
internal sealed class AcmeDnsRegistrations(BoundedStorage storage, Uri server, ILogger logger)
{
    /// <summary>The registrations, which contain passwords.</summary>
    public const string Prefix = "challenges/dns-01/acme-dns/";

    /// <exception cref="DnsProviderException">The store could not be read. A second registration would need a second CNAME.</exception>
    public Task<AcmeDnsRegistration?> FindAsync(string challengeName, CancellationToken cancellationToken) => GuardAsync(
        async () =>
        {
            var key = KeyOf(challengeName);
            if (await storage.ReadAsync(key, cancellationToken) is not { } value)
            {
                return null;
            }

            StorageDamage.ThrowIfEncrypted(key, value.Span);
            try
            {
                return JsonSerializer.Deserialize(value.Span, AcmeDnsJsonContext.Default.AcmeDnsRegistration);
            }
            catch (JsonException)
            {
                // The exception's message would quote the value.
                const string Reason = "not an acme-dns registration";
                await StorageDamage.SetAsideAsync(storage, key, value, Reason, logger, lease: null, cancellationToken);
                return null;
            }
        });

    /// <exception cref="DnsProviderException">The store could not be written.</exception>
    public Task AddAsync(string challengeName, AcmeDnsRegistration registration, CancellationToken cancellationToken) => GuardAsync(
        async () =>
        {
            var value = JsonSerializer.SerializeToUtf8Bytes(registration, AcmeDnsJsonContext.Default.AcmeDnsRegistration);
            await storage.WriteAsync(KeyOf(challengeName), value, lease: null, cancellationToken);
            return registration;
        });

    private async Task<T> GuardAsync<T>(Func<Task<T>> action)
    {
        try
        {
            return await action();
        }
        catch (StorageUnavailableException exception)
        {
            throw new DnsProviderException(
                DnsProviderFault.Unavailable,
                $"The registration at {server.Authority} could not be read or stored: {exception.Message}",
                exception);
        }
    }

    private string KeyOf(string challengeName) => Prefix + StorageKey.Hash($"{server.AbsoluteUri} {challengeName}");
}
