using KestrelAcme.Certificates;
using Microsoft.EntityFrameworkCore;

namespace Tenants;

/// <summary>Allows a certificate for each domain in the table. If the database is down, it throws, and nothing new is ordered.</summary>
internal sealed class TenantPermission : IIssuancePermission
{
    public async ValueTask<IssuanceDecision> AskAsync(string domainName, IssuanceContext context, CancellationToken cancellationToken)
    {
        var tenants = context.Services.GetRequiredService<TenantContext>();
        return await tenants.Tenants.AnyAsync(t => t.Domain == domainName, cancellationToken)
            ? IssuanceDecision.Allow()
            : IssuanceDecision.Deny();
    }
}
