using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace KestrelAcme.Architecture.Tests.Metadata;

/// <summary>
/// Which types an assembly's types mention: in base types, members' signatures, attributes, constraints, locals and instructions.
/// Constants leave no trace in metadata; the usings of source files are checked for them.
/// </summary>
internal sealed class AssemblyTypes
{
    private readonly PEReader _file;
    private readonly MetadataReader _reader;
    private readonly HashSet<TypeReferenceFact> _facts = [];

    private AssemblyTypes(PEReader file) => (_file, _reader) = (file, file.GetMetadataReader());

    public static IReadOnlyCollection<TypeReferenceFact> ReadReferences(string path)
    {
        using var file = new PEReader(File.OpenRead(path));
        var types = new AssemblyTypes(file);
        foreach (var handle in types._reader.TypeDefinitions)
        {
            types.Scan(handle);
        }

        return types._facts;
    }

    private void Scan(TypeDefinitionHandle from)
    {
        var type = _reader.GetTypeDefinition(from);
        var collector = new HandleCollector();
        List<EntityHandle> mentioned =
        [
            type.BaseType,
            .. type.GetInterfaceImplementations().Select(handle => _reader.GetInterfaceImplementation(handle).Interface),
        ];
        foreach (var field in type.GetFields().Select(_reader.GetFieldDefinition))
        {
            field.DecodeSignature(collector, null);
        }

        foreach (var method in type.GetMethods().Select(_reader.GetMethodDefinition))
        {
            method.DecodeSignature(collector, null);
            mentioned.AddRange(ReadBody(method, collector));
            mentioned.AddRange(Constraints(method.GetGenericParameters()));
            mentioned.AddRange(Attributes(method.GetCustomAttributes()));
        }

        mentioned.AddRange(Constraints(type.GetGenericParameters()));
        mentioned.AddRange(Attributes(type.GetCustomAttributes()));
        foreach (var handle in mentioned)
        {
            Resolve(handle, collector);
        }

        collector.Handles.ForEach(to => Note(from, to));
    }

    private IEnumerable<EntityHandle> ReadBody(MethodDefinition method, HandleCollector collector)
    {
        if (method.RelativeVirtualAddress == 0)
        {
            return [];
        }

        var body = _file.GetMethodBody(method.RelativeVirtualAddress);
        if (!body.LocalSignature.IsNil)
        {
            _reader.GetStandaloneSignature(body.LocalSignature).DecodeLocalSignature(collector, null);
        }

        return IlTokens.Read(body).Concat(body.ExceptionRegions.Select(region => region.CatchType));
    }

    private IEnumerable<EntityHandle> Constraints(GenericParameterHandleCollection parameters) =>
        parameters.SelectMany(handle => _reader.GetGenericParameter(handle).GetConstraints())
            .Select(handle => _reader.GetGenericParameterConstraint(handle).Type);

    private IEnumerable<EntityHandle> Attributes(CustomAttributeHandleCollection attributes) =>
        attributes.Select(handle => _reader.GetCustomAttribute(handle).Constructor);

    private void Resolve(EntityHandle handle, HandleCollector collector)
    {
        if (handle.IsNil)
        {
            return;
        }

        switch (handle.Kind)
        {
            case HandleKind.TypeDefinition or HandleKind.TypeReference:
                collector.Handles.Add(handle);
                break;
            case HandleKind.TypeSpecification:
                _reader.GetTypeSpecification((TypeSpecificationHandle)handle).DecodeSignature(collector, null);
                break;
            case HandleKind.MethodDefinition:
                collector.Handles.Add(_reader.GetMethodDefinition((MethodDefinitionHandle)handle).GetDeclaringType());
                break;
            case HandleKind.FieldDefinition:
                collector.Handles.Add(_reader.GetFieldDefinition((FieldDefinitionHandle)handle).GetDeclaringType());
                break;
            case HandleKind.MemberReference:
                Resolve(_reader.GetMemberReference((MemberReferenceHandle)handle).Parent, collector);
                break;
            case HandleKind.MethodSpecification:
                var specification = _reader.GetMethodSpecification((MethodSpecificationHandle)handle);
                specification.DecodeSignature(collector, null);
                Resolve(specification.Method, collector);
                break;
        }
    }

    private void Note(TypeDefinitionHandle fromHandle, EntityHandle toHandle)
    {
        var from = Outermost(fromHandle);
        var to = toHandle.Kind == HandleKind.TypeDefinition
            ? Outermost((TypeDefinitionHandle)toHandle)
            : Outermost((TypeReferenceHandle)toHandle);
        _facts.Add(
            new TypeReferenceFact($"{from.Namespace}.{from.Name}", from.Namespace, $"{to.Namespace}.{to.Name}", to.Namespace, to.Assembly));
    }

    private (string Namespace, string Name, string Assembly) Outermost(TypeDefinitionHandle handle)
    {
        var type = _reader.GetTypeDefinition(handle);
        return type.IsNested
            ? Outermost(type.GetDeclaringType())
            : (_reader.GetString(type.Namespace), _reader.GetString(type.Name), _reader.GetString(_reader.GetAssemblyDefinition().Name));
    }

    private (string Namespace, string Name, string Assembly) Outermost(TypeReferenceHandle handle)
    {
        var type = _reader.GetTypeReference(handle);
        return type.ResolutionScope.Kind switch
        {
            HandleKind.TypeReference => Outermost((TypeReferenceHandle)type.ResolutionScope),
            HandleKind.AssemblyReference => (_reader.GetString(type.Namespace), _reader.GetString(type.Name),
                _reader.GetString(_reader.GetAssemblyReference((AssemblyReferenceHandle)type.ResolutionScope).Name)),
            _ => (_reader.GetString(type.Namespace), _reader.GetString(type.Name), ""),
        };
    }
}
