using System.Net;
using System.Security.Cryptography;
using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Directories;
using KestrelAcme.Protocol.Orders;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.RenewalInformation;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Orders;

/// <summary>Places an order, with the certificate that it replaces if the CA supports that (RFC 9773 section 5).</summary>
internal static class OrderPlacement
{
    public static async Task<Order> PlaceAsync(
        OrderContext context, IAuthorityAccount account, AccountTrial trial, ILogger logger, CancellationToken cancellationToken)
    {
        var directory = await context.Authority.Client.GetDirectoryAsync(cancellationToken);
        var request = new NewOrderRequest
        {
            Identifiers = Identifiers.ToAcme(context.Specification),
            Profile = trial.Profile,
            Replaces = Replaces(context, account, directory),
        };
        try
        {
            return await CreateAsync(request, context, account, trial, logger, cancellationToken);
        }
        catch (AcmeException exception)
            when (exception.Problem is { } problem
                && (problem.Is(AcmeProblemTypes.InvalidProfile) || problem.Is(AcmeProblemTypes.Unauthorized)))
        {
            throw await trial.ConvictAsync(account, exception, directory.Meta.Profiles.Keys, cancellationToken) ?? exception;
        }
    }

    private static async Task<Order> CreateAsync(
        NewOrderRequest request,
        OrderContext context,
        IAuthorityAccount account,
        AccountTrial trial,
        ILogger logger,
        CancellationToken cancellationToken)
    {
        try
        {
            return await account.CreateOrderAsync(request, cancellationToken);
        }
        catch (AcmeException exception) when (request.Replaces is not null && MayBlameReplaces(exception, trial.Profile))
        {
            if (trial.MayBeGuilty(exception) && !await trial.IsSoundAsync(account, exception, cancellationToken))
            {
                throw;
            }

            // A CA may refuse the whole order because of the 'replaces' field: already replaced, unknown, or not its own.
            logger.ReplacesRefused(context.Specification.Id, exception.Message);
            return await account.CreateOrderAsync(request with { Replaces = null }, cancellationToken);
        }
    }

    private static bool MayBlameReplaces(AcmeException exception, string? profile)
        => exception is { Problem: { } problem, StatusCode: not HttpStatusCode.ServiceUnavailable } and not AcmeRateLimitedException
            && !AccountEvidence.IsCertain(exception)
            && problem.Type is not (AcmeProblemTypes.AccountDoesNotExist or AcmeProblemTypes.RateLimited
                or AcmeProblemTypes.RejectedIdentifier
                or AcmeProblemTypes.UnsupportedIdentifier or AcmeProblemTypes.InvalidProfile or AcmeProblemTypes.BadPublicKey
                or AcmeProblemTypes.Caa or AcmeProblemTypes.BadNonce)
            && !(profile is not null && problem.Is(AcmeProblemTypes.Unauthorized)
                && problem.Detail.Contains("profile", StringComparison.OrdinalIgnoreCase));

    private static RenewalCertificateId? Replaces(OrderContext context, IAuthorityAccount account, AcmeDirectory directory)
    {
        if (context.Current is not { Metadata: var metadata } current || directory.RenewalInfo is null
            || metadata.DirectoryUrl != context.Authority.Specification.DirectoryUrl || metadata.AccountUrl != account.Url)
        {
            return null;
        }

        try
        {
            return RenewalCertificateId.Create(current.Chain[0]);
        }
        catch (Exception exception) when (exception is CryptographicException or FormatException or ArgumentException)
        {
            return null;
        }
    }
}
