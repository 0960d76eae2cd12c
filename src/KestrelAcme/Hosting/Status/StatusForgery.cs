using System.Buffers.Text;
using System.Security.Cryptography;
using KestrelAcme.Diagnostics;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelAcme.Hosting.Status;

/// <summary>
/// Makes sure that a form was sent from the status page, and not by another site in the name of somebody who is signed in (CSRF). Uses the
/// app's antiforgery services if it has added them. Otherwise, a token in the form must match a secret in a cookie.
/// </summary>
/// <remarks>
/// Adding the services here would be costly: they come with data protection, which reads and writes its keys at the start of the app.
/// A cookie needs no key that instances would have to share.
/// </remarks>
internal static class StatusForgery
{
    private const string Cookie = ".KestrelAcme.Status";
    private const string Field = "token";
    private const int SecretLength = 32;
    private const int SaltLength = 16;

    /// <summary>Issues a token. Call it before the response starts.</summary>
    /// <returns>The name and the value of the hidden field, or why there is none.</returns>
    public static ((string Name, string Value)? Token, string? Obstacle) Issue(HttpContext context)
    {
        try
        {
            if (context.RequestServices.GetService<IAntiforgery>() is { } antiforgery
                && antiforgery.GetAndStoreTokens(context) is { RequestToken: { } token } tokens)
            {
                return ((tokens.FormFieldName, token), null);
            }
        }
        catch (Exception exception)
        {
            // The app's cookie may need HTTPS, which does not work now, or data protection may have no key. The page is needed then.
            return (null, QuotedText.Words(exception.Message, QuotedText.MaxReplyLength));
        }

        var secret = Secret(context.Request);
        if (secret is null)
        {
            secret = RandomNumberGenerator.GetBytes(SecretLength);
            context.Response.Cookies.Append(
                Cookie,
                Base64Url.EncodeToString(secret),
                new CookieOptions
                {
                    HttpOnly = true, SameSite = SameSiteMode.Strict, Secure = context.Request.IsHttps, IsEssential = true, Path = "/",
                });
        }

        // Another one each time: a page that is compressed and repeats what was searched for must not give it away.
        var salt = RandomNumberGenerator.GetBytes(SaltLength);
        return ((Field, Base64Url.EncodeToString([.. salt, .. HMACSHA256.HashData(secret, salt)])), null);
    }

    /// <summary>Whether a form was sent from the status page.</summary>
    public static async Task<bool> IsFromPageAsync(HttpContext context, IFormCollection form)
        => IsSameOrigin(context.Request)
            && (context.RequestServices.GetService<IAntiforgery>() is { } antiforgery
                ? await IsValidAsync(antiforgery, context)
                : HasToken(context.Request, form));

    private static async Task<bool> IsValidAsync(IAntiforgery antiforgery, HttpContext context)
    {
        try
        {
            return await antiforgery.IsRequestValidAsync(context);
        }
        catch (Exception) when (!context.RequestAborted.IsCancellationRequested)
        {
            // What keeps it from issuing tokens keeps it from checking them, too.
            return false;
        }
    }

    // Browsers say where a form comes from, and no site can make them lie. A cookie alone could come from a neighboring subdomain.
    private static bool IsSameOrigin(HttpRequest request)
        => request.Headers["Sec-Fetch-Site"].ToString() is { Length: > 0 } site ? site == "same-origin"
            : request.Headers.Origin.ToString() is not { Length: > 0 } origin
                || (Uri.TryCreate(origin, UriKind.Absolute, out var url)
                    && string.Equals(url.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase));

    private static bool HasToken(HttpRequest request, IFormCollection form)
    {
        Span<byte> token = stackalloc byte[SaltLength + HMACSHA256.HashSizeInBytes];
        return Secret(request) is { } secret
            && TryDecode(form[Field].ToString(), token)
            && CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(secret, token[..SaltLength]), token[SaltLength..]);
    }

    private static byte[]? Secret(HttpRequest request)
    {
        var secret = new byte[SecretLength];
        return request.Cookies[Cookie] is { } cookie && TryDecode(cookie, secret) ? secret : null;
    }

    private static bool TryDecode(string text, Span<byte> bytes)
        => text.Length == Base64Url.GetEncodedLength(bytes.Length)
            && Base64Url.IsValid(text, out var length) && length == bytes.Length
            && Base64Url.TryDecodeFromChars(text, bytes, out _);
}
