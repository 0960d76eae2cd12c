using System.Net.Http.Headers;
using System.Net.Http.Json;
using KestrelAcme.Challenges.Dns01.Http;
using KestrelAcme.Configuration;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges.Dns01.AcmeDns;

/// <summary>Puts values on an acme-dns server. The server keeps the last two values of a registration and deletes none: the next ones push them out.</summary>
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
        // One at a time for a name, on all instances: the caller sees to it.
        var registration = await _registrations.FindAsync(record.ChallengeName, cancellationToken) ?? await RegisterAsync(record, cancellationToken);
        if (!string.Equals(registration.Fulldomain.TrimEnd('.'), record.Name, StringComparison.OrdinalIgnoreCase))
        {
            var wanted = new RequiredDnsRecord(record.ChallengeName, "CNAME", $"{QuotedText.Words(registration.Fulldomain.TrimEnd('.'), QuotedText.MaxReplyLength)}.");
            throw new DnsProviderException(
                DnsProviderFault.SetUpNeeded, $"{record.ChallengeName} does not lead to its place at {_api.BaseUrl.Authority}; it is {record.Name} in zone {record.Zone}. Create: {wanted}")
            {
                RequiredRecords = [wanted],
            };
        }

        await UpdateAsync(registration, record, cancellationToken);
    }

    // The protocol has no deletion.
    public Task DeleteTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _api.Dispose();

    private async Task<AcmeDnsRegistration> RegisterAsync(DnsTxtRecord record, CancellationToken cancellationToken)
    {
        var answer = await _api.SendAsync(HttpMethod.Post, "register", null, record.Zone, cancellationToken);
        if (!answer.IsSuccess || answer.Read(AcmeDnsJsonContext.Default.AcmeDnsRegistration) is not { } registration)
        {
            throw Failure(answer, record);
        }

        await _registrations.AddAsync(record.ChallengeName, registration, cancellationToken);
        _logger.AcmeDnsRegistered(record.ChallengeName, _api.BaseUrl, QuotedText.Words(registration.Fulldomain.TrimEnd('.'), QuotedText.MaxReplyLength));
        return registration;
    }

    private async Task UpdateAsync(AcmeDnsRegistration registration, DnsTxtRecord record, CancellationToken cancellationToken)
    {
        var answer = await _api.SendAsync(HttpMethod.Post, "update", () => Content(registration, record), record.Zone, cancellationToken);
        if (!answer.IsSuccess)
        {
            throw Failure(answer, record);
        }
    }

    private static JsonContent Content(AcmeDnsRegistration registration, DnsTxtRecord record)
    {
        var content = JsonContent.Create(new AcmeDnsUpdate(registration.Subdomain, record.Value), AcmeDnsJsonContext.Default.AcmeDnsUpdate, new MediaTypeHeaderValue("application/json"));
        content.Headers.TryAddWithoutValidation("X-Api-User", registration.Username);
        content.Headers.TryAddWithoutValidation("X-Api-Key", registration.Password);
        return content;
    }

    private DnsProviderException Failure(DnsApiResponse answer, DnsTxtRecord record)
    {
        // Before a registration was made there is no secret to leak in what is quoted.
        var words = answer.Read(AcmeDnsJsonContext.Default.AcmeDnsError)?.Error is { } error ? answer.Quote(error) : answer.IsSuccess ? "not a registration" : answer.Text;
        return _api.Failure(answer, record.Zone, words, "The server may have lost the registration, or not allow this machine's address (allowfrom).");
    }
}
