using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Serialization;
using KestrelAcme.Challenges.Dns01.Http;
using KestrelAcme.Configuration;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges.Dns01.AcmeDns;

/// <summary>
/// Creates values on an acme-dns server. The server keeps the last two values of a registration and cannot delete any; new ones replace old
/// ones.
/// </summary>
internal sealed class AcmeDnsProvider : IDnsProvider, IDisposable
{
    private readonly DnsApiClient _api;
    private readonly AcmeDnsRegistrations _registrations;
    private readonly ILogger _logger;

    public AcmeDnsProvider(DnsProviderSettings settings, BoundedStorage storage, TimeProvider time, ILogger<AcmeDnsProvider> logger)
    {
        _api = new DnsApiClient(new Uri(settings.Get(nameof(AcmeDnsOptions.ServerUrl))), time);
        _registrations = new AcmeDnsRegistrations(storage, _api.BaseUrl, logger);
        _logger = logger;
    }

    public string Description => $"acme-dns at {_api.BaseUrl}";

    public async Task CreateTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken)
    {
        // The caller ensures that there is only one call per name at a time, on all instances.
        var registration = await _registrations.FindAsync(record.ChallengeName, cancellationToken)
            ?? await RegisterAsync(record, cancellationToken);
        if (!string.Equals(registration.Fulldomain.TrimEnd('.'), record.Name, StringComparison.OrdinalIgnoreCase))
        {
            var target = QuotedText.Words(registration.Fulldomain.TrimEnd('.'), QuotedText.MaxReplyLength);
            var wanted = new RequiredDnsRecord(record.ChallengeName, "CNAME", $"{target}.");
            throw new DnsProviderException(
                DnsProviderFault.SetUpNeeded,
                $"{record.ChallengeName} does not lead to its registration at {_api.BaseUrl.Authority}, "
                + $"but to {record.Name} in zone {record.Zone}. Create: {wanted}")
            {
                RequiredRecords = [wanted],
            };
        }

        await UpdateAsync(registration, record, cancellationToken);
    }

    // acme-dns has no call for deletion.
    public Task DeleteTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _api.Dispose();

    private async Task<AcmeDnsRegistration> RegisterAsync(DnsTxtRecord record, CancellationToken cancellationToken)
    {
        var response = await _api.SendAsync(HttpMethod.Post, "register", null, record.Zone, cancellationToken);
        if (!response.IsSuccess || response.Read(AcmeDnsJsonContext.Default.AcmeDnsRegistration) is not { } registration)
        {
            throw Failure(response, record);
        }

        await _registrations.AddAsync(record.ChallengeName, registration, cancellationToken);
        var target = QuotedText.Words(registration.Fulldomain.TrimEnd('.'), QuotedText.MaxReplyLength);
        _logger.AcmeDnsRegistered(record.ChallengeName, _api.BaseUrl, target);
        return registration;
    }

    private async Task UpdateAsync(AcmeDnsRegistration registration, DnsTxtRecord record, CancellationToken cancellationToken)
    {
        var response = await _api.SendAsync(HttpMethod.Post, "update", () => Content(registration, record), record.Zone, cancellationToken);
        if (!response.IsSuccess)
        {
            throw Failure(response, record);
        }
    }

    private static JsonContent Content(AcmeDnsRegistration registration, DnsTxtRecord record)
    {
        var content = JsonContent.Create(
            new AcmeDnsUpdate(registration.Subdomain, record.Value),
            AcmeDnsJsonContext.Default.AcmeDnsUpdate,
            new MediaTypeHeaderValue("application/json"));
        content.Headers.TryAddWithoutValidation("X-Api-User", registration.Username);
        content.Headers.TryAddWithoutValidation("X-Api-Key", registration.Password);
        return content;
    }

    private DnsProviderException Failure(DnsApiResponse response, DnsTxtRecord record)
    {
        // A response to a registration without a password contains no secret, so it can be quoted.
        var words = response.Read(AcmeDnsJsonContext.Default.AcmeDnsError)?.Error is { } error ? response.Quote(error)
            : response.IsSuccess ? "not a registration"
            : response.Text;
        const string Advice = "The server may have lost the registration, or may not allow this machine's address (allowfrom).";
        return _api.Failure(response, record.Zone, words, Advice);
    }
}

/// <summary>
/// Options for an acme-dns server: a small name server that serves only challenges. Each name is registered separately, and you create one
/// CNAME for it, which is logged. The server needs no credentials for the real zone. List the real zones, not the server's, in
/// <see cref="DnsProviderOptions.Zones"/>.
/// </summary>
public sealed class AcmeDnsOptions() : DnsProviderOptions(TypeName)
{
    internal const string TypeName = "AcmeDns";

    internal static DnsProviderType ProviderType { get; } = new(
        TypeName, [new(nameof(ServerUrl), Required: true) { Example = "https://auth.acme-dns.io/", Check = UrlRule.CheckSecure }]);

    /// <summary>The root of the server's API.</summary>
    /// <value>None: required.</value>
    public string? ServerUrl { get => Get(nameof(ServerUrl)); set => Set(nameof(ServerUrl), value); }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(AcmeDnsRegistration))]
[JsonSerializable(typeof(AcmeDnsUpdate))]
[JsonSerializable(typeof(AcmeDnsError))]
internal sealed partial class AcmeDnsJsonContext : JsonSerializerContext;

/// <summary>The registration of one name. The password is a secret; it is stored like account keys.</summary>
internal sealed record AcmeDnsRegistration
{
    [JsonRequired]
    public required string Username { get; init; }

    [JsonRequired]
    public required string Password { get; init; }

    [JsonRequired]
    public required string Subdomain { get; init; }

    /// <summary>The name that the CNAME must lead to.</summary>
    [JsonRequired]
    public required string Fulldomain { get; init; }

    public override string ToString() => Fulldomain;
}

/// <summary>A request to add a value. The server keeps the last two.</summary>
internal sealed record AcmeDnsUpdate(string Subdomain, string Txt);

/// <summary>An error response.</summary>
internal sealed record AcmeDnsError(string? Error);
