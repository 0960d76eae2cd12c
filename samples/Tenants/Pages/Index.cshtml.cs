using System.Globalization;
using KestrelAcme.Certificates;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.EntityFrameworkCore;

namespace Tenants.Pages;

/// <summary>Adds and removes customers' domains, and shows the state of their certificates.</summary>
internal sealed class IndexModel(TenantContext tenants, TenantRoutes routes, Backend backend, ICertificateManager certificates) : PageModel
{
    private static readonly IdnMapping Idn = new() { UseStd3AsciiRules = true };

    public List<Row> Rows { get; private set; } = [];

    /// <summary>What the admin typed, if it could not be added.</summary>
    public string? Typed { get; private set; }

    public string? Problem { get; private set; }

    public async Task OnGetAsync()
    {
        var domains = await tenants.Tenants.AsNoTracking().OrderBy(t => t.Domain).ToListAsync(HttpContext.RequestAborted);
        Rows = [.. domains.Select(t => new Row(t.Domain, certificates.Find(t.Domain)))];
    }

    public async Task<IActionResult> OnPostAddAsync(string? domain)
    {
        if (Normalize(domain) is not { } name)
        {
            (Typed, Problem) = (domain, $"'{domain}' is not a domain such as shop.example.com.");
            await OnGetAsync();
            return Page();
        }

        if (!await tenants.Tenants.AnyAsync(t => t.Domain == name, HttpContext.RequestAborted))
        {
            tenants.Add(new Tenant { Domain = name, Destination = backend.Address });
            await tenants.SaveChangesAsync(HttpContext.RequestAborted);
            await routes.UpdateAsync();
        }

        return RedirectToPage();
    }

    public async Task<IActionResult> OnPostRemoveAsync(string domain)
    {
        await tenants.Tenants.Where(t => t.Domain == domain).ExecuteDeleteAsync(HttpContext.RequestAborted);
        await routes.UpdateAsync();

        // Without this call, it would be served until the permission is asked again, within an hour.
        await certificates.ForgetAsync(domain, HttpContext.RequestAborted);
        return RedirectToPage();
    }

    private static string? Normalize(string? domain)
    {
        try
        {
            var name = Idn.GetAscii(domain?.Trim().TrimEnd('.') ?? "").ToLowerInvariant();
            return name.Contains('.', StringComparison.Ordinal) && Uri.CheckHostName(name) == UriHostNameType.Dns ? name : null;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    internal sealed record Row(string Domain, CertificateStatus? Certificate)
    {
        public string State => Certificate switch
        {
            null => "Waits for its first visitor",
            { Failure: { } failure } => failure.Message,
            { NotAfter: { } until } => $"Served until {until:yyyy-MM-dd}",
            _ => Certificate.State.ToString(),
        };
    }
}
